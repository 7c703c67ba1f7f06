import { afterEach, describe, expect, it } from 'vitest';

import { runCli } from '../../../src/cli/cli.ts';
import { collectStatus } from '../../../src/ops/collect-status.ts';
import { freePort } from '../../support/free-port.ts';
import { createValueCounters } from '../../../src/core/counters.ts';
import { madeUpDestination, madeUpSources } from '../ops/made-up-sources.ts';
import { run, serve, serveBridge, stopServers } from './served-status.ts';

afterEach(stopServers);

describe('status', () => {
  it('prints the numbers of a bridge in good order, in one column', async () => {
    const sources = madeUpSources();
    Object.assign(sources.counters, { valuesReceived: 1_234_567, valuesWritten: 1_234_067 });
    sources.buffer = { size: 500, capacity: 100_000 };
    await sources.clock.advance(90_061_000);
    const { exitCode, out, errors } = await run(['--url', await serveBridge(sources)]);
    expect([exitCode, errors]).toEqual([0, '']);
    expect(out).toMatch(/^gateway-01: all is well {2}version 1\.2\.3, running for 1 d 1 h\n\nConnections\n/);
    expect(out).toMatch(/^ {2}MQTT broker +connected \(MQTT 5\)$/m);
    expect(out).toMatch(/^ {2}received +1,234,567 values in /m);
    expect(out).toMatch(/^ {2}buffer +\[-{30}\] {3}0 % {2}500 of 100,000 values$/m);
    expect(out).not.toContain('replaying');
    const figures = out.split('\n').filter((line) => line.startsWith('  '));
    expect(new Set(figures.map((line) => /^ {2}.*? {2,}/.exec(line)![0].length)).size).toBe(1);
    expect(out).not.toMatch(/undefined|NaN/);
    expect(out).not.toContain('\u001B');
  });

  it('says first what needs attention, and nothing from the network steers the terminal', async () => {
    const sources = madeUpSources();
    sources.oracle = () => ({ state: 'down', reason: { code: 'ORA-12541', message: 'no listener\u001b[2J\r\n' } });
    const { out } = await run(['--url', await serveBridge(sources)]);
    expect(out).toContain('\n! Oracle is down: ORA-12541: no listener\\u{1b}[2J');
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(out).toContain('gateway-01: 1 problem');
    expect(out).not.toContain('all is well');
  });

  it('has a line for each destination as soon as there are two', async () => {
    const sources = madeUpSources();
    const one = await run(['--url', await serveBridge(sources)]);
    expect(one.out).not.toContain('Destinations');
    const counters = { ...createValueCounters(), valuesReceived: 1230, valuesWritten: 1200 };
    const down = madeUpDestination('alarms', { state: 'down', counters, pending: 30 });
    const backups = { ...down.backups, pendingFiles: 2, pendingRows: 500 };
    const gone = madeUpDestination('old', { table: undefined });
    sources.destinations = () => [madeUpDestination('default'), { ...down, backups }, gone];
    const { out } = await run(['--url', await serveBridge(sources)]);
    const lines = out.split('\n');
    const from = lines.indexOf('Destinations');
    expect(lines.slice(from, from + 4)).toEqual([
      'Destinations',
      '  default             connected  DEFAULT      0 written   0 on the way',
      '  alarms              down       ALARMS   1,200 written  30 on the way  500 rows in 2 files',
      '  old                 gone       -            0 written   0 on the way',
    ]);
    expect(out).toContain('The destination alarms (table ALARMS) is down');
  });

  it('has the last outages, with whose they are, how long, the rows and why', async () => {
    const sources = madeUpSources();
    expect((await run(['--url', await serveBridge(sources)])).out).not.toContain('outages');
    const oracle = {
      of: 'oracle',
      destination: 'alarms',
      began: '2025-11-02T10:00:00.123Z',
      reason: 'ORA-12541: no\u001b listener',
    } as const;
    const broker = { of: 'broker', began: '2025-11-02T09:00:00.000Z', reason: 'refused' } as const;
    const ended = '2025-11-02T11:00:00.000Z';
    sources.outages = () => [
      { ...oracle, code: 'ORA-12541', seconds: 61, rowsBackedUp: 1234 },
      { ...broker, ended, seconds: 3600, restarted: true },
      ...Array.from({ length: 10 }, () => ({ ...broker, ended, seconds: 1 })),
    ];
    const { out } = await run(['--url', await serveBridge(sources)]);
    const lines = out.trimEnd().split('\n');
    const from = lines.indexOf('Last outages');
    expect(lines.slice(from, from + 3)).toEqual([
      'Last outages',
      '  2025-11-02 10:00:00 UTC Oracle (lasts, 1 min 1 s, 1,234 rows to backups): ORA-12541: no\\u{1b} listener',
      '  2025-11-02 09:00:00 UTC MQTT broker (at most 1 h): refused',
    ]);
    expect(lines.length - from).toBe(6);
    sources.destinations = () => [madeUpDestination('default'), madeUpDestination('alarms')];
    const several = await run(['--url', await serveBridge(sources)]);
    expect(several.out).toContain('Oracle, destination alarms (lasts, ');
  });

  it('has a line for each subscription, and says where the database is', async () => {
    const sources = madeUpSources();
    const facts = sources.mqtt();
    const subscriptions = [
      { topic: 'plc/+/tags', qos: 1, grantedQos: 1, messages: 1200, lastMessageAtMs: 0 },
      { topic: 'plant/#', qos: 2, grantedQos: 1, messages: 0 },
      { topic: 'new/#', qos: 1, messages: 0 },
    ];
    sources.mqtt = () => ({ ...facts, subscriptions });
    sources.silentSubscriptions = () => [{ topic: 'plant/#', sinceMs: 0 }];
    const { out } = await run(['--url', await serveBridge(sources)]);
    const lines = out.trimEnd().split('\n');
    expect(lines.slice(lines.indexOf('Subscriptions'))).toEqual([
      'Subscriptions',
      '  plc/+/tags  QoS 1        1,200 messages  last at 1970-01-01 00:00:00 UTC',
      '  plant/#     QoS 1 of 2       0 messages  none since 1970-01-01 00:00:00 UTC',
      '  new/#       not granted      0 messages  none since the start',
    ]);
    expect(out).toMatch(/^ {2}Oracle +connected \(db\.example:1521\/FREEPDB1\)$/m);
  });

  it('with --json prints the answer as it came', async () => {
    const sources = madeUpSources();
    const { out } = await run(['--json', '--url', `${await serveBridge(sources)}/`]);
    expect(JSON.parse(out)).toEqual(collectStatus(sources));
  });

  it('asks where the configuration says that the bridge listens', async () => {
    const { port } = new URL(await serveBridge(madeUpSources()));
    const { exitCode, out } = await run([], { BRIDGE_HTTP_PORT: port, BRIDGE_HTTP_HOST: '0.0.0.0' });
    expect([exitCode, out.split('\n', 1)[0]]).toEqual([0, expect.stringMatching(/^gateway-01: all is well /)]);
  });

  it('says under each problem what can be done about it, where the bridge knows', async () => {
    const sources = madeUpSources();
    sources.oracle = () => ({ state: 'down' });
    const status = collectStatus(sources);
    const [problem = ''] = status.problems;
    const advice = [
      { problem: 'Another one.', remedy: 'Nothing.' },
      { problem, remedy: 'Start \u001b[31mthe listener.' },
    ];
    const body = JSON.stringify({ ...status, problems: [problem, 'A second one.'], advice });
    const { out } = await run(['--url', await serve(() => ({ status: 200, contentType: 'application/json', body }))]);
    expect(out).toContain(`\n! ${problem}\n  → Start \\u{1b}[31mthe listener.\n! A second one.\n\n`);
    expect(out).not.toContain('Another one');
  });

  it('shows how far a replay is', async () => {
    const sources = madeUpSources();
    const file = 'backup_20251102_143000.csv';
    const status = collectStatus(sources);
    const backups = { ...status.backups, replaying: { file, rows: 1000, replayedRows: 333 } };
    const body = JSON.stringify({ ...status, backups });
    const { out } = await run(['--url', await serve(() => ({ status: 200, contentType: 'application/json', body }))]);
    expect(out).toMatch(/^ {2}replaying +\[#{9}-{21}\] {2}33 % {2}333 of 1,000 rows of backup_20251102_143000\.csv$/m);
  });

  it('has colours on a terminal, and none where they are not wanted', async () => {
    const url = await serveBridge(madeUpSources());
    const show = async (isTTY: boolean, env: Readonly<Record<string, string>>): Promise<string> => {
      let out = '';
      const stdout = { isTTY, write: (text: string) => (out += text) };
      await runCli(['status', '--url', url], { stdout, stderr: stdout, env });
      return out;
    };
    expect(await show(true, {})).toContain('\u001B[32mall is well\u001B[39m');
    expect(await show(true, { NO_COLOR: '' })).toContain('\u001B');
    expect(await show(true, { NO_COLOR: '1' })).not.toContain('\u001B');
    expect(await show(true, { TERM: 'dumb' })).not.toContain('\u001B');
    expect(await show(false, {})).not.toContain('\u001B');
  });

  it.each([
    [['--watch'], 64, 'needs a terminal'],
    [['--watch', '--json'], 64, 'one of --json and --watch'],
    [['http://127.0.0.1:8080'], 64, 'after --url or --fleet'],
    [['--set', 'http.enabled=false'], 69, 'http.enabled is false'],
    [['--set', 'http.port=0'], 69, 'name the port'],
  ])('answers %j with %i', async (args, expected, message) => {
    const { exitCode, out, errors } = await run(args);
    expect([exitCode, out]).toEqual([expected, '']);
    expect(errors).toContain(message);
  });

  it('ends with 69 and a plain line when no bridge is there', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { exitCode, out, errors } = await run(['--url', url]);
    expect([exitCode, out]).toEqual([69, '']);
    expect(errors).toMatch(
      new RegExp(`^mqtt-oracle-bridge: no bridge reachable at ${url}: .*ECONNREFUSED.*; start it, or .*--url.*\n$`),
    );
  });

  it.each([
    ['another page', { status: 200, contentType: 'text/html', body: '<html>' }],
    ['other JSON', { status: 200, contentType: 'application/json', body: '{"status":"ok"}' }],
    [
      'JSON that begins like a status',
      { status: 200, contentType: 'application/json', body: '{"counters":{"valuesReceived":1}}' },
    ],
    ['null', { status: 200, contentType: 'application/json', body: 'null' }],
    ['an error', { status: 500, contentType: 'text/plain', body: 'no' }],
  ])('ends with 69 when %s comes instead', async (_what, answer) => {
    const { exitCode, out, errors } = await run(['--url', await serve(() => answer)]);
    expect([exitCode, out]).toEqual([69, '']);
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
  });

  it.each(['ftp://gateway', 'gateway', ''])('ends with 64 for --url %j', async (url) => {
    const { exitCode, errors } = await run(['--url', url]);
    expect(exitCode).toBe(64);
    expect(errors).toContain('--url');
  });
});
