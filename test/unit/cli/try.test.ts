import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { runCli } from '../../../src/cli/cli.ts';

const POLLING = JSON.stringify({
  timestamp: '2025-11-02T14:30:25.123Z',
  plc_code: 'PLC01',
  tag_values: { D100: 12.5, S1: 'RUN', N: null, BIG: 9_007_199_254_740_992 },
});

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(argv: readonly string[], input = ''): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli(['try', ...argv], {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: async function* () {
      yield Buffer.from(input.slice(0, 3));
      yield Buffer.from(input.slice(3));
    },
    env: {},
  });
  return { exitCode, stdout, stderr };
}

describe('try', () => {
  let directory: string;
  let config: string;
  const file = (name: string, content: string | Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bridge-try-'));
    const plausibleTime = { pastDays: 36_500, futureMinutes: 30 };
    const subscriptions = [
      { topic: 'plc/+/tags', plausibleTime },
      { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}', plausibleTime },
    ];
    config = file('bridge.json', JSON.stringify({ mqtt: { subscriptions } }));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('says what filters do: which tags are not wanted, what is within the deadband, which time can not be right', async () => {
    const subscription = { topic: 'plc/+/tags', exclude: ['*.S1'], deadband: { absolute: 0.5 } };
    const filtering = file('filtering.json', JSON.stringify({ mqtt: { subscriptions: [subscription] } }));
    const at = (timestamp: number, value: number): string =>
      JSON.stringify({ timestamp, plc_code: 'PLC01', tag_values: { A: value, S1: 'RUN' } });
    const args = ['-c', filtering, '--topic', 'plc/1/tags'];
    const now = Date.now();
    for (const [i, payload] of [at(now, 1), at(now, 1.2), at(now / 1000, 1)].entries()) {
      args.push('--payload', file(`${i}.json`, payload));
    }
    const { exitCode, stdout } = await cli(args);
    expect(exitCode).toBe(0);
    const [first, second, third] = stdout.split(/\n(?=plc)/);
    expect(first).toContain('1 row\n');
    expect(first).toContain('1 value left out by name: PLC01.S1');
    expect(first).toContain('within the deadband around the last ones that were written are left out');
    expect(second).toContain('1 row\n');
    expect(second).toContain('1 value within the deadband around those before, and left out: PLC01.A');
    expect(third).toMatch(
      /1 value with a time too far from that of receipt, here now: PLC01\.A at 1970-.*; it is written so/,
    );
  });

  it('prints the rows of a payload as a table, without broker and database', async () => {
    const payload = file('a.json', POLLING);
    const { exitCode, stdout, stderr } = await cli(['-c', config, '--topic', 'plc/1/tags', '--payload', payload]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^plc\/1\/tags \(\d+ B\): 4 rows$/),
      '  read by mqtt.subscriptions[0], plc/+/tags, as polling',
      '',
      'TAG_NAME               VALUE  TEXT  TIMESTAMP                 QUALITY  PROBLEM',
      'PLC01.D100              12.5        2025-11-02T14:30:25.123Z  GOOD',
      'PLC01.S1                      RUN   2025-11-02T14:30:25.123Z  GOOD',
      'PLC01.N                             2025-11-02T14:30:25.123Z  GOOD',
      'PLC01.BIG   9007199254740992        2025-11-02T14:30:25.123Z  GOOD',
      '',
    ]);
  });

  it('prints them as JSON, from standard input', async () => {
    const argv = ['-c', config, '-t', 'plant/PLC01/D7', '-p', '-', '--json'];
    const { exitCode, stdout } = await cli(argv, '{"value": 9007199254740993, "timestamp": 0}');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      topic: 'plant/PLC01/D7',
      bytes: 43,
      subscription: { index: 1, topic: 'plant/+/+', format: 'scalar' },
      outcome: 'rows',
      rowCount: 1,
      rejectedCount: 0,
      rows: [
        {
          tagName: 'PLC01.D7',
          value: 9_007_199_254_740_992,
          text: '9007199254740993',
          timestamp: '1970-01-01T00:00:00.000Z',
          quality: 'GOOD',
          plcCode: 'PLC01',
          tagAddress: 'D7',
        },
      ],
    });
  });

  it('says which rows would be rejected, and why', async () => {
    const payload = file('a.json', '{"plc_code":"P","tag_values":{"A":[1],"B":2}}');
    const argv = ['-c', config, '-t', 'plc/1/tags', '-p', payload];
    const { exitCode, stdout } = await cli(argv);
    expect(exitCode).toBe(65);
    expect(stdout).toContain(': 2 rows, 1 of them would be rejected\n');
    expect(stdout).toMatch(/^P\.A .*VALUE_NOT_SCALAR: the value must be a number/m);
    const withoutText = await cli([
      ...argv.slice(0, 4),
      '-p',
      file('b.json', POLLING),
      '--set',
      'oracle.columns.text=',
    ]);
    expect(withoutText.exitCode).toBe(65);
    expect(withoutText.stdout).toContain('NO_TEXT_COLUMN');
  });

  it('shows what further columns hold', async () => {
    const payload = file('a.json', '{"plc_code":"P","quality":192,"tag_values":{"A":1}}');
    const columns = JSON.stringify({ source: "'gw'", line: '{2}', code: '{qualityCode}', '"Kept"': '{retained}' });
    const argv = ['-c', config, '-t', 'plc/1/tags', '-p', payload, '--set', `oracle.furtherColumns=${columns}`];
    const { stdout } = await cli(argv);
    expect(stdout).toMatch(/QUALITY +source +line +code +"Kept" +PROBLEM/);
    expect(stdout).toMatch(/^P\.A +1 .* 192 +gw +1 +192 +0$/m);
    const { rows } = JSON.parse((await cli([...argv, '--json'])).stdout) as { rows: object[] };
    expect(rows[0]).toMatchObject({ columns: { source: 'gw', line: '1', code: 192, '"Kept"': 0 } });
  });

  it('shows whom the rows are for, each with the columns of its own destination', async () => {
    const rows = [
      { tag: '{/a}', value: '/v' },
      { tag: '{/b}', value: '/v', to: 'alarms', columns: { level: '/l' } },
    ];
    const sets = {
      'oracle.destinations': { alarms: { table: 'A', columns: { text: '', line: '{1}' } } },
      'oracle.furtherColumns': { source: "'gw'" },
      'mqtt.subscriptions': [{ topic: 'x/#', format: 'json', json: { rows } }],
    };
    const flags = Object.entries(sets).flatMap(([path, value]) => ['--set', `${path}=${JSON.stringify(value)}`]);
    const payload = file('a.json', '{"a":"A","b":"B","v":"RUN","l":7}');
    const argv = ['-c', config, '-t', 'x/1', '-p', payload, ...flags];
    const { stdout } = await cli(argv);
    expect(stdout).toContain('2 rows, 1 of them would be rejected');
    expect(stdout).toMatch(/QUALITY +source +line +level +DESTINATION +PROBLEM/);
    expect(stdout).toMatch(/^A +RUN .* GOOD +gw +default$/m);
    expect(stdout).toMatch(/^B +RUN .* GOOD +gw +x +7 +alarms +NO_TEXT_COLUMN/m);
    const tried = JSON.parse((await cli([...argv, '--json'])).stdout) as { rows: object[] }[];
    expect([tried].flat()[0]).toMatchObject({
      rows: [
        { destination: 'default', columns: { source: 'gw' } },
        { destination: 'alarms', columns: { source: 'gw', line: 'x', level: '7' } },
      ],
    });
  });

  it('says why a payload can not be decoded', async () => {
    const { exitCode, stdout } = await cli(['-c', config, '-t', 'plc/1/tags', '-p', file('a', '{"tag_values":1}')]);
    expect(exitCode).toBe(65);
    expect(stdout).toContain('plc/1/tags (16 B): can not be decoded\n  read by mqtt.subscriptions[0]');
    expect(stdout).toContain('TAG_VALUES_MISSING: "tag_values" must be an object, not 1');
  });

  it('says that no subscription takes a topic', async () => {
    const { exitCode, stdout } = await cli(['-c', config, '-t', 'elsewhere', '-p', file('a', '1')]);
    expect(exitCode).toBe(78);
    expect(stdout).toContain('  no subscription takes this topic\n  NO_ROUTE: ');
  });

  it('takes several payloads, for one topic or each for its own', async () => {
    const one = file('1', '1');
    const two = file('2', 'true');
    const own = await cli(['-c', config, '-t', 'plant/P/A', '-p', one, '-t', 'plant/P/B', '-p', two, '--json']);
    const shared = await cli(['-c', config, '-t', 'plant/P/A', '-p', one, '-p', two]);
    const rows = (JSON.parse(own.stdout) as { rows: { tagName: string }[] }[]).flatMap((each) => each.rows);
    expect(rows.map(({ tagName }) => tagName)).toEqual(['P.A', 'P.B']);
    expect(shared.stdout.match(/^P\.A /gm)).toHaveLength(2);
  });

  it.each([
    [['-t', 'a'], '--payload must be given'],
    [['-p', 'a'], '--topic must be given'],
    [['-t', 'a/+', '-p', 'a'], '--topic must be the topic of one message, not "a/+"'],
    [['-t', 'a', '-t', 'b', '-p', 'x'], 'one --topic for all payloads, or one for each'],
    [['-t', 'a', '-p', '-', '-p', '-'], '--payload - can be given once only'],
  ])('answers %j with exit code 64', async (argv, message) => {
    const { exitCode, stderr } = await cli(argv);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(message);
  });

  it('says that a payload can not be read', async () => {
    const { exitCode, stderr } = await cli(['-c', config, '-t', 'a', '-p', join(directory, 'none')]);
    expect(exitCode).toBe(74);
    expect(stderr).toMatch(/--payload .*none: ENOENT/);
  });

  it('spells out what would steer a terminal', async () => {
    const { stdout } = await cli(['-c', config, '-t', 'plant/P/A', '-p', file('a', 'a\u001B[2Jb')]);
    expect(stdout).toContain(String.raw`a\u{1b}[2Jb`);
  });
});
