import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { runCli } from '../../../src/cli/cli.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { packageVersion } from '../../../src/cli/version.ts';

const RUNNABLE = { oracle: { connectString: 'db:1521/x', user: 'u', password: 'p' } };

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const exitCode = await runCli(argv, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env,
  });
  return { exitCode, stdout, stderr };
}

describe('the command line', () => {
  let directory: string;
  const file = (name: string, content: unknown): string => {
    const path = join(directory, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bridge-cli-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it.each(['--version', '-V'])('says the version of the package for %s', async (option) => {
    expect(await cli([option])).toEqual({ exitCode: 0, stdout: `${packageVersion()}\n`, stderr: '' });
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each(['--help', '-h'])('lists the commands and the exit codes for %s', async (option) => {
    const { exitCode, stdout } = await cli([option]);
    expect(exitCode).toBe(0);
    for (const name of COMMANDS.keys()) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, 'm'));
    }
    for (const code of [64, 65, 66, 69, 70, 73, 74, 78]) expect(stdout).toContain(` ${code}  `);
  });

  it.each([...COMMANDS.keys()])(
    'has help with two examples, each option and the exit codes for %s',
    async (command) => {
      const { exitCode, stdout } = await cli([command, '--help']);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: mqtt-oracle-bridge \\[?${command}`));
      const [, examples = ''] = stdout.split('\nExamples:\n');
      const [own = ''] = examples.split('\n\n');
      expect(own.split('\n').filter((line) => line.includes('mqtt-oracle-bridge')).length).toBeGreaterThanOrEqual(2);
      expect(stdout).toContain('-h, --help');
      for (const option of Object.keys((await COMMANDS.get(command)!()).options))
        expect(stdout).toContain(`--${option}`);
      expect(stdout).toMatch(/\nExit codes:\n {2}0 +\S.*\n(?:.*\n)* {2}64 {2}wrong usage\n/);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThan(110);
    },
  );

  it.each([
    [['chek'], 'unknown command chek (did you mean "check"?)'],
    [['frobnicate'], 'unknown command frobnicate; see mqtt-oracle-bridge --help'],
    [['check', '--conect'], `Unknown option '--conect' (did you mean "--connect"?); see mqtt-oracle-bridge check`],
    [['--versoin'], `Unknown option '--versoin' (did you mean "--version"?)`],
    [['check', '--frobnicate'], "Unknown option '--frobnicate'; see"],
    [['check', '-x'], "Unknown option '-x'; see"],
    [['--config', 'a.json', 'stauts'], 'unexpected argument stauts (did you mean "status"?)'],
    [['backups', 'lsit'], 'not lsit (did you mean "list"?)'],
    [['completion'], 'give one of bash, zsh and fish'],
    [['completion', 'bsh'], 'give one of bash, zsh and fish (did you mean "bash"?)'],
    [['completion', 'bash', 'zsh'], 'give one of'],
    [['check', '--config'], "Option '-c, --config <value>' argument missing"],
    [['check', '--connect=yes'], "Option '--connect' does not take an argument"],
    [['check', 'file.json'], 'unexpected argument file.json; see mqtt-oracle-bridge check --help'],
    [['--config', 'a.json', 'check'], 'unexpected argument check'],
    [['check', '--set', 'log.level'], '--set: must be KEY=VALUE'],
    [['config'], 'give one of --json-schema, --markdown, --example and --preset'],
    [['config', '--preset', 'kepwere'], 'config: --preset must be one of kepware, opcua-pubsub'],
    [['config', '--markdown', '--example'], 'give one of'],
  ])('answers %j with exit code 64', async (argv, message) => {
    const { exitCode, stdout, stderr } = await cli(argv);
    expect(exitCode).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('says ok for a good configuration, and where the PLC codes are from', async () => {
    expect(await cli(['check', '--config', file('a.json', RUNNABLE)])).toEqual({
      exitCode: 0,
      stdout:
        'note: mqtt.subscriptions[0].plcCode: a payload without "plc_code" is of the PLC that level 2 of its topic names, ' +
        'the first wildcard of "plc/+/tags"\nok\n',
      stderr: '',
    });
  });

  it.each([
    [{ topic: 'plant/+/line/+' }, /^note: .*level 2 of its topic names/],
    [{ topic: '$share/fleet/plc/#' }, /^note: .*level 2 of its topic names/],
    [
      { topic: 'plc/tags' },
      /^note: .*a payload without "plc_code" is undecodable: no level of the topic "plc\/tags" is taken for it/,
    ],
    [{ topic: 'plc/+/tags', plcCode: '' }, /^note: .* is undecodable/],
    [{ topic: 'plc/+/tags', plcCode: 'oven-{2}' }, /^ok\n$/],
    [{ topic: 'plc/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' }, /^ok\n$/],
  ])('says where the PLC code of %j is from', async (subscription, said) => {
    const config = { ...RUNNABLE, mqtt: { subscriptions: [subscription] } };
    const { exitCode, stdout } = await cli(['check', '--config', file('a.json', config)]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(said)]);
  });

  it('prints every error of a wrong one, one a line', async () => {
    const { exitCode, stdout, stderr } = await cli(['check', '-c', file('a.json', { log: { level: 'x' }, y: 1 })]);
    expect(exitCode).toBe(78);
    expect(stdout.trimEnd().split('\n')).toEqual([
      'y: is not a known key',
      'log.level: must be "error", "warn", "info" or "debug", not "x"',
      expect.stringMatching(/^oracle\.connectString: /),
      expect.stringMatching(/^oracle\.user: /),
      expect.stringMatching(/^oracle\.password: /),
    ]);
    expect(stderr).toBe('');
  });

  it('takes several files, the environment and --set, the last of them first', async () => {
    const files = [file('a.json', RUNNABLE), file('b.json', { http: { port: 'x' } })];
    const wrong = await cli(['check', '-c', files[0] ?? '', '-c', files[1] ?? '']);
    expect(wrong.exitCode).toBe(78);
    expect(wrong.stdout).toContain('b.json');
    expect((await cli(['check', ...files.flatMap((name) => ['-c', name])], { BRIDGE_HTTP_PORT: '1' })).exitCode).toBe(
      0,
    );
    const flagged = await cli(['check', '-c', files[0] ?? '', '--set', 'http.port=x'], { BRIDGE_HTTP_PORT: '1' });
    expect(flagged.stdout).toContain('not "x" (from --set)');
  });

  it('reads the file that BRIDGE_CONFIG names, unless --config names another', async () => {
    const BRIDGE_CONFIG = file('a.json', RUNNABLE);
    expect((await cli(['check'], { BRIDGE_CONFIG })).exitCode).toBe(0);
    expect((await cli(['check', '--config', file('b.json', {})], { BRIDGE_CONFIG })).exitCode).toBe(78);
  });

  it.each(['run', 'check', 'schema'])('answers %s with exit code 66 when the file is missing', async (command) => {
    const { exitCode, stderr } = await cli([command, '--config', join(directory, 'none.json')]);
    expect(exitCode).toBe(66);
    expect(stderr).toContain('none.json: there is no such file');
  });

  it('answers run with exit code 78 and every error on standard error', async () => {
    for (const argv of [['run'], []]) {
      const { exitCode, stdout, stderr } = await cli([...argv, '-c', file('a.json', { htp: {}, log: { level: 'x' } })]);
      expect(exitCode).toBe(78);
      expect(stdout).toBe('');
      expect(stderr).toContain('mqtt-oracle-bridge: htp: is not a known key (did you mean "http"?)\n');
      expect(stderr).toContain('mqtt-oracle-bridge: log.level: ');
    }
  });

  it('prints the DDL of the configured tables without needing more of a configuration', async () => {
    const { exitCode, stdout } = await cli(['schema', '--set', 'oracle.table=plant.values']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('"PLANT"."VALUES"');
    expect(stdout).toContain('"MQTT_BRIDGE_LEDGER"');
  });

  it.each([
    ['--json-schema', '"$schema"'],
    ['--markdown', '# Configuration reference'],
    ['--example', '"bridge": {'],
  ])('prints the reference for config %s', async (option, text) => {
    const { exitCode, stdout } = await cli(['config', option]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(text);
  });
});
