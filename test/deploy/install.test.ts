import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { mosquittoMissing } from '../support/mosquitto.ts';
import { arrive } from '../upgrade/arrival.ts';
import { CONFIG as CONFIG_OF_BRIDGE, CUTS, leaveBehind } from '../upgrade/cut-off.ts';
import { type Ended, missingTool, ROOT, run } from './tools.ts';

const PREFIX = '/srv/bridge';
const UNIT = '/etc/systemd/system/mqtt-oracle-bridge.service';
const CONFIG = '/etc/mqtt-oracle-bridge/bridge.json';

let source: string;
let dest: string;
/** The first installation. */
let first: Ended;

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  HOME: source,
  PREFIX,
  DESTDIR: dest,
  ...more,
});
const script = (name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  run('sh', [join(source, 'deploy/systemd', name), ...args], { env: environment(env) });
const installed = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  run(process.execPath, [join(dest, PREFIX, 'dist/main.js'), ...args], { env, cwd: dest });
const read = (path: string): string => readFileSync(join(dest, path), 'utf8');
const mode = (path: string): string => (statSync(join(dest, path)).mode & 0o777).toString(8);

/** The checkout with a build of its own, so that the one in the checkout is left alone. */
beforeAll(async () => {
  source = mkdtempSync(join(tmpdir(), 'install-source-'));
  dest = mkdtempSync(join(tmpdir(), 'install-dest-'));
  const parts = [
    'package.json',
    'package-lock.json',
    'README.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'LICENSE',
    'config',
    'deploy',
    'docs',
    'src',
    'tsconfig.json',
  ];
  await run('cp', ['-R', ...[...parts, 'tsconfig.build.json'].map((part) => join(ROOT, part)), source]);
  await run('cp', ['-R', join(ROOT, 'node_modules'), source]);
  const built = await run('npm', ['run', '--silent', 'build'], { cwd: source });
  if (built.exitCode !== 0) throw new Error(`the build failed: ${built.stdout}${built.stderr}`);
  first = await script('install.sh');
});

afterAll(() => {
  for (const directory of [source, dest]) rmSync(directory, { recursive: true, force: true });
});

describe('install.sh', () => {
  it('installs a bridge that runs from there, with the production packages and no others', async () => {
    expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('systemctl start') });
    const { version } = JSON.parse(read(`${PREFIX}/package.json`)) as { version: string };
    expect(await installed(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
    expect(await installed(['schema'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('CREATE TABLE') });
    const packages = readdirSync(join(dest, PREFIX, 'node_modules'));
    expect(packages).toEqual(expect.arrayContaining(['mqtt', 'oracledb', 'convict', 'winston', 'prom-client']));
    expect(packages).not.toContain('typescript');
    expect(packages).not.toContain('vitest');
    expect(existsSync(join(dest, `${PREFIX}.new`)) || existsSync(join(dest, `${PREFIX}.old`))).toBe(false);
  });

  it('loads every package that the bridge needs', async () => {
    const oracle = { connectString: '127.0.0.1:9/x', user: 'u', password: 'p' };
    const file = join(dest, 'no-journal.json');
    writeFileSync(file, JSON.stringify({ oracle, journal: { dir: '/dev/null/journal' } }));
    const { exitCode, stdout } = await installed(['run', '--config', file]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 73, stdout: expect.stringContaining('/dev/null/journal') });
  });

  it('puts a configuration there that is good but for the password, for root and the service only', async () => {
    expect([mode(CONFIG), mode(dirname(CONFIG)), mode('/etc/mqtt-oracle-bridge/credentials')]).toEqual([
      '640',
      '750',
      '700',
    ]);
    expect(mode('/etc/mqtt-oracle-bridge/credentials/oracle-password')).toBe('600');
    const check = ['check', '--config', join(dest, CONFIG)];
    expect(await installed(check)).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^note: .*\nok\n$/) });
    const password = join(dest, 'etc/mqtt-oracle-bridge/credentials/oracle-password');
    const asInUnit = { BRIDGE_ORACLE_PASSWORD_FILE: password };
    expect(await installed(check, asInUnit)).toMatchObject({ exitCode: 78, stdout: expect.stringContaining(password) });
    writeFileSync(password, 'secret\n');
    expect(await installed(check, asInUnit)).toMatchObject({ exitCode: 0 });
  });

  it('writes the unit and the command for this prefix and this node', () => {
    const unit = read(UNIT);
    expect(unit).toContain(`ExecStart=${process.execPath} ${PREFIX}/dist/main.js run --config ${CONFIG}`);
    expect(unit).not.toContain('/opt/');
    expect(read('/usr/local/bin/mqtt-oracle-bridge')).toContain(`${PREFIX}/dist/main.js "$@"`);
    expect(mode('/usr/local/bin/mqtt-oracle-bridge')).toBe('755');
  });

  it('run again, leaves configuration and passwords alone, and adds the drop-in once there is a broker password', async () => {
    writeFileSync(join(dest, CONFIG), '{ "mine": true }');
    writeFileSync(join(dest, 'etc/mqtt-oracle-bridge/credentials/mqtt-password'), 'secret\n');
    writeFileSync(join(dest, PREFIX, 'left-over'), '');
    const dropIn = `${UNIT}.d/mqtt-password.conf`;
    expect(existsSync(join(dest, dropIn))).toBe(false);
    const again = await script('install.sh');
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('systemctl restart') });
    expect(read(CONFIG)).toBe('{ "mine": true }');
    expect(read('/etc/mqtt-oracle-bridge/credentials/oracle-password')).toBe('secret\n');
    expect(read(dropIn)).toContain('BRIDGE_MQTT_PASSWORD_FILE');
    expect(existsSync(join(dest, PREFIX, 'left-over'))).toBe(false);
    expect(await installed(['--version'])).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ['bridge', 'must begin with /'],
    ['/srv/../etc', 'no ..'],
    ['/', 'not be /'],
    ['/srv/a b', 'letters, digits'],
    ['/usr', 'something else'],
  ])('refuses the prefix %s', async (prefix, why) => {
    mkdirSync(join(dest, 'usr'), { recursive: true });
    for (const name of ['install.sh', 'uninstall.sh']) {
      const { exitCode, stderr } = await script(name, [], { PREFIX: prefix });
      expect({ name, exitCode, stderr }).toEqual({ name, exitCode: 1, stderr: expect.stringContaining(why) });
    }
  });

  it('refuses arguments it does not know', async () => {
    expect(await script('install.sh', ['--frobnicate'])).toMatchObject({ exitCode: 64 });
    expect(await script('uninstall.sh', ['--frobnicate'])).toMatchObject({ exitCode: 64 });
  });
});

describe('the packed tarball', () => {
  let directory: string;
  let unpacked: string;
  let program: string;
  let installation: Ended;

  /** Packages come from where this machine's npm is told to get them. */
  const install = (): Promise<Ended> =>
    run('sh', [join(unpacked, 'deploy/systemd/install.sh')], {
      env: { ...process.env, ...environment({ DESTDIR: join(directory, 'dest') }), HOME: process.env['HOME'] },
    });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'install-packed-'));
    unpacked = join(directory, 'package');
    program = join(directory, 'dest', PREFIX);
    const packed = await run('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: source });
    if (packed.exitCode !== 0) throw new Error(`npm pack failed: ${packed.stdout}${packed.stderr}`);
    await run('tar', ['xzf', join(directory, packed.stdout.trim()), '-C', directory]);
    installation = await install();
  }, 300_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('is installed, with the versions that it was tried with, into an empty prefix', async () => {
    expect(installation).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('systemctl start') });
    expect(existsSync(join(source, 'npm-shrinkwrap.json'))).toBe(false);
    const schema = await run(process.execPath, [join(program, 'dist/main.js'), 'schema'], { cwd: directory });
    expect(schema).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('CREATE TABLE') });
    const versionOf = (root: string, name: string): unknown =>
      (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
        .version;
    for (const name of ['mqtt', 'oracledb', 'winston']) expect(versionOf(program, name)).toBe(versionOf(ROOT, name));
    expect(existsSync(join(program, 'node_modules/typescript'))).toBe(false);
  });

  it.skipIf(mosquittoMissing !== undefined)(
    'is replaced by a newer one with values in journal and backups: none is lost or doubled',
    async () => {
      const cuts = CUTS.map((cut) => ({ cut, data: mkdtempSync(join(directory, `${cut}-`)) }));
      const left = await Promise.all(cuts.map(({ cut, data }) => leaveBehind(cut, data, program)));
      try {
        const manifest = join(unpacked, 'package.json');
        writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"version": ".*"/, '"version": "99.0.0"'));
        expect(await install()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('systemctl restart') });
        for (const [i, { cut, data }] of cuts.entries()) {
          const { neighbours, obligations } = left[i]!;
          const found = await arrive(CONFIG_OF_BRIDGE, neighbours, obligations, { directory: data, checkout: program });
          expect({ cut, ...found }).toEqual({ cut, offences: [], isBalanced: true, version: '99.0.0' });
        }
      } finally {
        for (const { neighbours } of left) await neighbours.stop();
      }
    },
    300_000,
  );
});

describe('uninstall.sh', () => {
  const backup = '/var/lib/mqtt-oracle-bridge/data/backup/backup_20251102_143025.csv';

  beforeAll(() => {
    mkdirSync(join(dest, dirname(backup)), { recursive: true });
    writeFileSync(join(dest, backup), 'tag_name\n');
  });

  it('keeps everything when it is to remove values that are not in Oracle', async () => {
    const { exitCode, stderr } = await script('uninstall.sh', ['--purge']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('1 CSV files') });
    expect([existsSync(join(dest, PREFIX)), existsSync(join(dest, backup))]).toEqual([true, true]);
  });

  it('takes the program and keeps configuration and data', async () => {
    expect(await script('uninstall.sh')).toMatchObject({ exitCode: 0 });
    const gone = [PREFIX, UNIT, '/usr/local/bin/mqtt-oracle-bridge'];
    expect(gone.filter((path) => existsSync(join(dest, path)))).toEqual([]);
    expect([CONFIG, backup].filter((path) => existsSync(join(dest, path)))).toEqual([CONFIG, backup]);
  });

  it('is done with nothing there, and with --purge --force takes everything', async () => {
    expect(await script('uninstall.sh', ['--purge', '--force'])).toMatchObject({ exitCode: 0 });
    const gone = [CONFIG, backup, `${UNIT}.d`];
    expect(gone.filter((path) => existsSync(join(dest, path)))).toEqual([]);
  });
});

const missing = missingTool('shellcheck');

describe.skipIf(missing !== undefined)(`shellcheck${missing === undefined ? '' : ` (${missing})`}`, () => {
  it('finds nothing in the scripts', async () => {
    const scripts = ['systemd/install.sh', 'systemd/uninstall.sh', 'docker/init-oracle.sh'];
    const files = scripts.map((name) => join(ROOT, 'deploy', name));
    expect(await run('shellcheck', files)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });
});
