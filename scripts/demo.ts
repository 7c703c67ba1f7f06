/**
 * `npm start`: the whole thing on one machine with nothing installed beside it. In this process an MQTT broker, a simulated plant and a
 * stand-in database; as a process of its own, the way users run it, the bridge.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';

import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';

import type { Status } from '../src/ops/status.ts';
import { schemaDdl } from '../src/oracle/schema.ts';
import { startStandin, type Standin } from '../test/support/standin/standin.ts';
import { TABLE_OPTIONS } from '../test/support/tag-table.ts';
import { startPlant } from './simulate-plant.ts';

const DIRECTORY = join('data', 'demo');
const USUAL_PORTS = { mqtt: 1883, oracle: 1521, http: 8080 };
const REPORT_EVERY_MS = 5000;

const HELP = `
  d + Enter   take the database away, or bring it back: watch the backup and its notice appear
  r + Enter   show the latest rows of the table
  b + Enter   show the backups
  k + Enter   kill -9 the bridge and start it again: the count still fits
  q + Enter   end (as does Ctrl-C)
`;

interface Broker {
  readonly url: string;
  stop(): Promise<void>;
}

/** The usual port where it is free, else any free one. */
async function choosePort(name: string, usual: number): Promise<number> {
  const port = await listenBriefly(usual).catch(() => listenBriefly(0));
  if (port !== usual) console.log(`port ${usual} (${name}) is taken: using ${port}`);
  return port;
}

async function listenBriefly(port: number): Promise<number> {
  const server = createServer();
  const listening = once(server, 'listening');
  server.listen(port, '127.0.0.1');
  await listening;
  const chosen = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
  return chosen;
}

async function startBroker(port: number): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const listening = once(server, 'listening');
  server.listen(port, '127.0.0.1');
  await listening;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Resolves when the bridge is subscribed. */
async function startBridge(broker: Broker, standin: Standin, httpPort: number): Promise<ChildProcess> {
  const config = {
    bridge: { id: 'demo' },
    mqtt: {
      url: broker.url,
      protocolVersion: 4,
      subscriptions: [
        { topic: 'plc/+/tags', format: 'polling', plcCode: '{2}' },
        { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
      ],
    },
    oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret', ...TABLE_OPTIONS },
    journal: { dir: join(DIRECTORY, 'journal') },
    backup: { dir: join(DIRECTORY, 'backup') },
    http: { port: httpPort },
    log: { format: 'text' },
  };
  const file = join(DIRECTORY, 'bridge.json');
  await writeFile(file, JSON.stringify(config, undefined, 2));
  // In a process group of its own, so that Ctrl-C reaches this process alone and the bridge is ended in order.
  const options = { detached: true, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] };
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'run', '--config', file], options);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      console.log(`bridge | ${line}`);
      if (line.includes(' subscribed ')) child.emit('subscribed');
      if (line.includes('sessionPresent=true')) child.emit('connected');
    });
  }
  // So that what the plant publishes can be held against what is in the table. After a kill the session is still subscribed.
  await Promise.race([once(child, 'subscribed'), once(child, 'connected'), once(child, 'exit')]);
  return child;
}

async function fetchStatus(url: string): Promise<Status | undefined> {
  try {
    return (await (await fetch(`${url}/api/status`)).json()) as Status;
  } catch {
    return undefined;
  }
}

async function countRows(standin: Standin): Promise<number> {
  const [row] = await standin.engine.query('SELECT COUNT(*) AS n FROM tag_data', 'BRIDGE');
  return Number(row?.['N']);
}

async function showRows(standin: Standin): Promise<void> {
  const sql = `SELECT tag_name, tag_value, tag_text, TO_CHAR(timestamp, 'YYYY-MM-DD HH24:MI:SS') AS utc, quality
               FROM tag_data ORDER BY timestamp DESC FETCH FIRST 12 ROWS ONLY`;
  console.table(await standin.engine.query(sql, 'BRIDGE'));
}

function showBackups(): void {
  const file = join(DIRECTORY, 'bridge.json');
  spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'backups', 'list', '--config', file], {
    stdio: 'inherit',
  });
}

/** Tells of each recovery notice when it appears, changes its state or is cleared. */
async function watchNotices(url: string): Promise<MqttClient> {
  const states = new Map<string, string>();
  const client = await mqtt.connectAsync(url, { clientId: 'demo-watcher' });
  client.on('message', (topic, payload) => {
    const notice = payload.length === 0 ? { state: 'cleared' } : (JSON.parse(payload.toString()) as { state: string });
    if (states.get(topic) === notice.state) return;
    states.set(topic, notice.state);
    console.log(`notice | ${topic} ${payload.length === 0 ? '(cleared)' : payload.toString()}`);
  });
  await client.subscribeAsync('mqtt-oracle-bridge/+/recovery/+', { qos: 1 });
  return client;
}

await rm(DIRECTORY, { recursive: true, force: true });
await mkdir(DIRECTORY, { recursive: true });
const broker = await startBroker(await choosePort('MQTT', USUAL_PORTS.mqtt));
const standin = await startStandin({ port: await choosePort('Oracle', USUAL_PORTS.oracle) });
for (const statement of schemaDdl(TABLE_OPTIONS).split(/;\s*/)) {
  if (statement !== '') await standin.engine.query(statement, 'BRIDGE');
}
const httpUrl = `http://127.0.0.1:${await choosePort('HTTP', USUAL_PORTS.http)}`;
const httpPort = Number(new URL(httpUrl).port);
let bridge = await startBridge(broker, standin, httpPort);
const plant = await startPlant(broker.url);
const watcher = await watchNotices(broker.url);

console.log(`
  status page   ${httpUrl}/
  MQTT broker   ${broker.url}   (plc/+/tags, plant/+/+, mqtt-oracle-bridge/#)
  database      bridge/secret@${standin.connectString}   any thin Oracle client: select * from tag_data
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

async function report(): Promise<void> {
  const rows = await countRows(standin);
  const status = await fetchStatus(httpUrl);
  const time = new Date().toISOString().slice(11, 19);
  const bridgeSays =
    status === undefined
      ? 'the bridge does not answer'
      : `oracle ${status.oracle.state}, ${status.audit.pending} pending, ${status.backups.pendingRows} rows in backups`;
  console.log(
    `${time}  +${rows - rowsBefore} rows, ${rows} in the table of ${plant.valuesPublished} published; ${bridgeSays}`,
  );
  rowsBefore = rows;
}

const reporting = setInterval(() => void report(), REPORT_EVERY_MS);

let isEnding = false;
async function end(exitCode: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  clearInterval(reporting);
  commands.close();
  await plant.stop();
  if (bridge.exitCode === null) {
    const exited = once(bridge, 'exit');
    bridge.kill('SIGTERM');
    await exited;
  }
  console.log(`${await countRows(standin)} rows in the table of ${plant.valuesPublished} published`);
  await watcher.endAsync(true);
  standin.stop();
  await broker.stop();
  process.exitCode = exitCode;
}

const COMMANDS: Readonly<Record<string, () => void>> = {
  d: () => void toggleDatabase(),
  r: () => void showRows(standin),
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
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
watchBridge();
