/**
 * `npm start`: the whole thing on one machine with nothing installed beside it. In this process an MQTT broker, a
 * simulated plant and a stand-in database; as a process of its own, the way users run it, the bridge.
 */
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { startStandin } from '../test/support/standin/standin.ts';
import type { FaultHandle } from '../test/support/standin/faults.ts';
import { countRows, createTables } from '../test/support/tag-table.ts';
import { DIRECTORY, fetchStatus, showBackups, startBridge, UTILITIES_TABLE, utilitiesDdl } from './demo/bridge.ts';
import { choosePort, startBroker, watchNotices } from './demo/broker.ts';
import { startPlant } from './simulate-plant.ts';

/** Where a directory is given, other such demonstrations may run beside this one. */
const USUAL_PORTS =
  process.argv[2] === undefined ? { mqtt: 1883, oracle: 1521, http: 8080 } : { mqtt: 0, oracle: 0, http: 0 };
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const REPORT_EVERY_MS = 5000;
const LAST_ROWS_MS = 10_000;

const HELP = `
  d + Enter   take the database away, or bring it back: watch the backup and its notice appear
  t + Enter   lock the table of the utilities, or release it: the other table is written as before
  r + Enter   show the latest rows of the table
  b + Enter   show the backups
  k + Enter   kill -9 the bridge and start it again: the count still fits
  q + Enter   end (as does Ctrl-C)
`;

/** Until all of it runs. */
const giveUp = (): never => process.exit(130);
for (const signal of SIGNALS) process.on(signal, giveUp);

await rm(DIRECTORY, { recursive: true, force: true });
await mkdir(DIRECTORY, { recursive: true });
const broker = await startBroker(await choosePort('MQTT', USUAL_PORTS.mqtt));
const standin = await startStandin({ port: await choosePort('Oracle', USUAL_PORTS.oracle) });
await createTables(standin, utilitiesDdl());
const httpUrl = `http://127.0.0.1:${await choosePort('HTTP', USUAL_PORTS.http)}`;
const httpPort = Number(new URL(httpUrl).port);
let bridge = await startBridge(broker, standin, httpPort);
const plant = await startPlant(broker.url);
const watcher = await watchNotices(broker.url);

console.log(`
  status page   ${httpUrl}/
  MQTT broker   ${broker.url}   (plc/+/tags, plant/+/+, mqtt-oracle-bridge/#)
  database      bridge/secret@${standin.connectString}   any thin Oracle client: select * from tag_data, or utilities
  files         ${relative('.', DIRECTORY)}
${HELP}`);

let isAway = false;
let rowsBefore = 0;

async function toggleDatabase(): Promise<void> {
  isAway = !isAway;
  if (isAway) {
    standin.close();
    standin.kill();
  } else {
    await standin.open();
  }
  console.log(isAway ? 'the database is away: d + Enter brings it back' : 'the database is back');
}

let lock: FaultHandle | undefined;
function toggleLock(): void {
  if (lock === undefined) {
    lock = standin.faults.add({ on: 'execute', sql: UTILITIES_TABLE, error: 54, times: Number.POSITIVE_INFINITY });
  } else {
    lock.clear();
    lock = undefined;
  }
  console.log(
    lock === undefined ? 'the table is released' : 'the table of the utilities is locked: t + Enter releases it',
  );
}

async function killBridge(): Promise<void> {
  bridge.removeAllListeners('exit');
  const exited = once(bridge, 'exit');
  bridge.kill('SIGKILL');
  await exited;
  console.log('the bridge was killed: starting it again');
  bridge = await startBridge(broker, standin, httpPort);
  watchBridge();
}

function watchBridge(): void {
  bridge.once('exit', (code) => {
    if (isEnding) return;
    console.error(`the bridge ended with ${code}`);
    void end(1);
  });
}

async function countAllRows(): Promise<number> {
  return (await countRows(standin)) + (await countRows(standin, UTILITIES_TABLE));
}

async function report(): Promise<void> {
  const rows = await countAllRows();
  const status = await fetchStatus(httpUrl);
  const time = new Date().toISOString().slice(11, 19);
  const bridgeSays =
    status === undefined
      ? 'the bridge does not answer'
      : `oracle ${status.oracle.state}, ${status.audit.pending} pending, ${status.backups.pendingRows} rows in backups`;
  console.log(
    `${time}  +${rows - rowsBefore} rows, ${rows} in the tables of ${plant.valuesPublished} published; ${bridgeSays}`,
  );
  rowsBefore = rows;
}

async function showRows(): Promise<void> {
  const sql = `SELECT tag_name, tag_value, tag_text, TO_CHAR(timestamp, 'YYYY-MM-DD HH24:MI:SS') AS utc, quality
               FROM tag_data ORDER BY timestamp DESC FETCH FIRST 12 ROWS ONLY`;
  console.table(await standin.engine.query(sql, 'BRIDGE'));
}

const reporting = setInterval(() => void report(), REPORT_EVERY_MS);

/** What the broker has not delivered when the bridge ends would be written at its next start only. */
async function lastRows(): Promise<void> {
  const untilMs = performance.now() + LAST_ROWS_MS;
  while ((await countAllRows()) < plant.valuesPublished && performance.now() < untilMs) await delay(100);
}

let isEnding = false;
async function end(exitCode: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  clearInterval(reporting);
  commands.close();
  process.stdin.destroy(); // a pipe would keep the process, as long as whoever writes to it does not close it
  await plant.stop();
  if (exitCode === 0 && !isAway && lock === undefined) await lastRows();
  if (bridge.exitCode === null) {
    const exited = once(bridge, 'exit');
    bridge.kill('SIGTERM');
    await exited;
  }
  console.log(`${await countAllRows()} rows in the tables of ${plant.valuesPublished} published`);
  await watcher.endAsync(true);
  standin.stop();
  await broker.stop();
  process.exitCode = exitCode;
}

const COMMANDS: Readonly<Record<string, () => void>> = {
  d: () => void toggleDatabase(),
  t: toggleLock,
  r: () => void showRows(),
  b: showBackups,
  k: () => void killBridge(),
  q: () => void end(0),
};

const commands = createInterface({ input: process.stdin }).on('line', (line) => {
  const command = COMMANDS[line.trim()];
  if (command === undefined) console.log(HELP);
  else command();
});
// The bridge is in a process group of its own, so it would outlive a closed terminal.
for (const signal of SIGNALS) process.off(signal, giveUp).on(signal, () => void end(0));
watchBridge();
