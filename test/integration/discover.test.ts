import { afterEach, beforeEach, expect, it } from 'vitest';

import { runCli } from '../../src/cli/cli.ts';
import { startAedes, type RunningAedes } from '../support/aedes.ts';

const POLLING = '{"plc_code":"P1","tag_values":{"D1":1,"D2":2}}';

let running: RunningAedes;

/** What comes once somebody has subscribed. */
const LIVE = [
  ['plc/PLC01/tags', POLLING],
  ['plc/PLC02/tags', POLLING],
  ['plant/A/D1', '12.5'],
  ['plant/A/D2', 'RUN'],
  ['$SYS/broker/load', '1'],
  ['mqtt-oracle-bridge/bridge/state', '{}'],
] as const;

function publish(topic: string, payload: string, retain: boolean): void {
  const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 0, retain, dup: false } as const;
  running.broker.publish(packet, () => {});
}

beforeEach(async () => {
  running = await startAedes();
  publish('kept/by/the/broker', '7', true);
  running.broker.on('subscribe', () => {
    for (const [topic, payload] of LIVE) publish(topic, payload, false);
  });
});

afterEach(() => running.stop());

async function discover(...argv: readonly string[]) {
  let out = '';
  let err = '';
  const exitCode = await runCli(['discover', '--set', `mqtt.url=${running.url}`, ...argv], {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: { BRIDGE_BRIDGE_ID: 'bridge' },
  });
  return { exitCode, out, err };
}

it('discover lists topics and proposes subscriptions that read them, and leaves nothing at the broker', async () => {
  const ids: string[] = [];
  running.broker.on('client', ({ id }) => ids.push(id));
  const { err, exitCode, out } = await discover('--seconds', '1');
  expect(exitCode).toBe(0);
  expect(err).toMatch(/^Listening to # at mqtt:\/\/127\.0\.0\.1:\d+ for 1 s …\n$/);
  expect(out).toMatch(/^#: 5 messages on 5 topics in 1(?:\.\d)? s\n/);
  expect(out).toMatch(/^kept\/by\/the\/broker +0 +1 B {2}yes +number$/m);
  expect(out).toMatch(/^plc\/PLC01\/tags +1 +46 B {2}no +JSON \{plc_code, tag_values: …\}$/m);
  expect(out).toContain('  {"topic":"plc/+/tags","format":"polling"}\n      polling: 2 topics; read 2 of 2 messages');
  expect(out).toContain('{"topic":"plant/A/+","format":"scalar","plcCode":"{2}","tagAddress":"{3}"}');
  expect(out).not.toMatch(/\$SYS|mqtt-oracle-bridge\//);
  expect(ids.filter((id) => !/^bridge-discover-[\da-f]+$/.test(id))).toEqual([]);
  expect(running.broker.connectedClients).toBe(0);
}, 30_000);

it('discover prints JSON, of the topics of a filter', async () => {
  const { exitCode, out } = await discover('--seconds', '1', '--json', '--filter', 'plant/#');
  expect(exitCode).toBe(0);
  const found = JSON.parse(out) as { topics: object[]; proposals: object[] };
  expect(found.topics).toMatchObject([
    { topic: 'plant/A/D1', messages: 1, averageBytes: 4, retained: false, shape: 'number' },
    { topic: 'plant/A/D2', shape: 'text' },
  ]);
  expect(found.proposals).toMatchObject([{ subscription: { topic: 'plant/A/+' }, read: 2, rows: 2 }]);
}, 30_000);

it.each([
  [['--filter', '$share/g/#'], 64, 'is of a shared subscription'],
  [['--filter', 'a/#/b'], 64, '# must be a level of its own'],
  [['--seconds', 'x'], 64, '--seconds must be a number up to 3600'],
  [['--seconds', '1', '--set', 'mqtt.url=mqtt://127.0.0.1:9'], 69, 'no listening at the broker'],
])('discover %j ends with %i', async (argv, code, message) => {
  const { err, exitCode } = await discover(...argv);
  expect([exitCode, err]).toEqual([code, expect.stringContaining(message)]);
});
