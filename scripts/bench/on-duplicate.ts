import oracledb from 'oracledb';

import type { OnDuplicate } from '../../src/core/columns.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { connectionsTo } from '../../test/support/oracle-connections.ts';
import { startStandinProcess } from '../../test/support/standin-process.ts';
import { SESSIONS_OPTIONS } from '../../test/support/tag-table.ts';

const BATCH_ROWS = 500;
const BATCHES = 60;
const TAGS = 50;
const WARM_UP_TURNS = 2;
const KEY = 'ALTER TABLE tag_data ADD CONSTRAINT tag_key UNIQUE (tag_name, timestamp)';

/** What is written: which policy, and how many of a batch's rows are there already. */
export interface PolicyCase {
  readonly onDuplicate: OnDuplicate;
  readonly shareThere: number;
}

export interface PolicyFigures extends PolicyCase {
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
}

/**
 * The bridge's session alone, on one connection, in batches of 500 rows into a table with a unique key: a plain INSERT
 * beside the policy, in turns, on one stand-in that keeps the rows. What a real database takes for a MERGE or for a key
 * that is there is not in it.
 */
export async function measurePolicy(onDuplicate: OnDuplicate, turns: number): Promise<PolicyFigures[][]> {
  const cases: readonly PolicyCase[] = [
    { onDuplicate: 'reject', shareThere: 0 },
    { onDuplicate, shareThere: 0 },
    { onDuplicate, shareThere: 0.5 },
  ];
  const standin = await startStandinProcess({ countOnly: false });
  const figures: PolicyFigures[][] = cases.map(() => []);
  try {
    const { connectString } = standin;
    const admin = await oracledb.getConnection({ connectString, user: 'bridge', password: 'secret' });
    await admin.execute(KEY);
    for (let turn = -WARM_UP_TURNS; turn < turns; turn += 1) {
      const order = turn % 2 === 0 ? [...cases.entries()] : [...cases.entries()].toReversed();
      for (const [i, each] of order) {
        await admin.execute('TRUNCATE TABLE tag_data');
        const measured = await measure(connectString, each);
        if (turn >= 0) figures[i]!.push(measured);
      }
    }
    await admin.close();
    return figures;
  } finally {
    standin.child.kill('SIGKILL');
  }
}

async function measure(connectString: string, each: PolicyCase): Promise<PolicyFigures> {
  const connections = connectionsTo({ connectString });
  const destination = { ...SESSIONS_OPTIONS.destination, onDuplicate: each.onDuplicate };
  const session = new Sessions(connections, { ...SESSIONS_OPTIONS, ledgerTable: '', destination, bridgeId: 'b' }).live(
    'J',
  );
  await session.probe();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  let next = 0;
  for (let i = 0; i < BATCHES; i += 1) {
    const repeated = Math.floor(next === 0 ? 0 : BATCH_ROWS * each.shareThere);
    await session.write(batchFrom(next - repeated), undefined, unexpected);
    next += BATCH_ROWS - repeated;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await connections.stop();
  const rows = BATCHES * BATCH_ROWS;
  return { ...each, rowsPerSecond: rows / seconds, cpuMicrosPerRow: (user + system) / rows };
}

function batchFrom(first: number): TagValues {
  const values = new TagValues(BATCH_ROWS);
  for (let i = first; i < first + BATCH_ROWS; i += 1) {
    const name = `PLC01.D${i % TAGS}`;
    values.push({ plcCode: 'PLC01', address: '', name }, i, null, Date.UTC(2025, 0, 1) + Math.floor(i / TAGS), 'GOOD');
  }
  values.stamp(first + 1, Date.UTC(2025, 0, 1));
  return values;
}

async function unexpected(): Promise<void> {
  throw new Error('the stand-in refused a row');
}
