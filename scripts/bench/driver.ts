import oracledb from 'oracledb';

export const BATCH_ROWS = 500;
/** Of a process that has just started: what it compiles meanwhile is not measured. */
export const WARM_UP_VALUES = 100_000;

export interface DriverFigures {
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
}

/** The driver alone: the same rows, built anew for each batch, on one connection. */
export async function runDriver(connectString: string, tagsPerMessage: number): Promise<void> {
  const connection = await oracledb.getConnection({ connectString, user: 'bridge', password: 'secret' });
  const text = { type: oracledb.DB_TYPE_VARCHAR, maxSize: 4000 };
  const bindDefs = [
    text,
    { type: oracledb.DB_TYPE_BINARY_DOUBLE },
    text,
    { type: oracledb.DB_TYPE_TIMESTAMP_TZ },
    text,
  ];
  const sql = 'INSERT INTO tag_data (tag_name, tag_value, tag_text, timestamp, quality) VALUES (:1, :2, :3, :4, :5)';
  const names = Array.from({ length: tagsPerMessage }, (_, i) => `PLC01.D${100 + i}`);
  const insert = async (rows: number): Promise<void> => {
    for (let done = 0; done < rows; done += BATCH_ROWS) {
      const batch: unknown[][] = [];
      const at = new Date();
      for (let i = 0; i < BATCH_ROWS; i += 1) batch.push([names[i % names.length], done + i * 0.1, null, at, 'GOOD']);
      await connection.executeMany(sql, batch, { autoCommit: true, batchErrors: true, bindDefs });
    }
  };
  await insert(WARM_UP_VALUES);
  const rows = 1_000_000;
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await insert(rows);
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const figures: DriverFigures = { rowsPerSecond: rows / seconds, cpuMicrosPerRow: (user + system) / rows };
  console.log(JSON.stringify(figures));
  await connection.close();
}
