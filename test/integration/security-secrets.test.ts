import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BUILT_BRIDGE } from '../support/built-bridge.ts';
import { startAedes } from '../support/aedes.ts';
import { createAuthority, opensslMissing, walletPem } from '../support/certificate-authority.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables } from '../support/tag-table.ts';
import { tieToThisProcess } from '../support/tied-process.ts';
import { until } from '../support/until.ts';

/** Letters and digits alone, so that no escaping hides them. */
const SECRETS = {
  mqtt: 'zQmqttSecret71',
  oracle: 'zQoracleSecret72',
  wallet: 'zQwalletSecret73',
  token: 'zQtokenSecret74',
} as const;

let directory = '';
let children: ChildProcess[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bridge-secrets-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

class Running {
  readonly child: ChildProcess;
  output = '';
  readonly exited: Promise<number | null>;

  constructor(argv: readonly string[], env: Readonly<Record<string, string>>, umask: number) {
    const before = process.umask(umask);
    this.child = spawn(process.execPath, [BUILT_BRIDGE, ...argv], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    process.umask(before);
    tieToThisProcess(this.child);
    children.push(this.child);
    const keep = (chunk: Buffer): void => void (this.output += chunk.toString());
    this.child.stdout!.on('data', keep);
    this.child.stderr!.on('data', keep);
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
  }

  async end(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}

function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}, umask = 0o022): Running {
  return new Running(argv, env, umask);
}

/** All secrets, each in a file that its variable names, as systemd and containers hand them over. */
async function secretFiles(): Promise<Record<string, string>> {
  const credentials = join(directory, 'credentials');
  await mkdir(credentials, { mode: 0o700, recursive: true });
  const env: Record<string, string> = {};
  const variables = {
    BRIDGE_MQTT_PASSWORD_FILE: SECRETS.mqtt,
    BRIDGE_ORACLE_PASSWORD_FILE: SECRETS.oracle,
    BRIDGE_ORACLE_WALLETPASSWORD_FILE: SECRETS.wallet,
    BRIDGE_HTTP_TOKEN_FILE: SECRETS.token,
  };
  for (const [name, secret] of Object.entries(variables)) {
    env[name] = join(credentials, name);
    await writeFile(env[name], `${secret}\n`, { mode: 0o600 });
  }
  return env;
}

async function configFile(more: Readonly<Record<string, object>>): Promise<string> {
  const base: Record<string, object> = {
    bridge: { id: 'gateway' },
    mqtt: { url: 'mqtt://127.0.0.1:9', username: 'bridge-user' },
    oracle: { connectString: '127.0.0.1:9/FREEPDB1', user: 'bridge', callTimeoutMs: 2000, connectTimeoutMs: 2000 },
    writer: { retry: { attempts: 1, initialDelayMs: 10, factor: 1 } },
    http: { port: 0 },
    log: { level: 'debug', file: 'log/bridge.log' },
  };
  for (const [section, keys] of Object.entries(more)) base[section] = { ...base[section], ...keys };
  await writeFile(join(directory, 'bridge.json'), JSON.stringify(base));
  return 'bridge.json';
}

function expectNoSecret(what: string, text: string): void {
  for (const [name, secret] of Object.entries(SECRETS)) {
    const forms = [secret, Buffer.from(secret).toString('base64').slice(0, 16), Buffer.from(secret).toString('hex')];
    for (const form of forms) expect(text.includes(form), `${what} shows the secret "${name}"`).toBe(false);
  }
}

/** What the bridge has written, below its working directory, by path. */
async function writtenFiles(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.parentPath !== join(directory, 'credentials')) files.set(path, await readFile(path));
  }
  return files;
}

async function expectNoSecretInFiles(): Promise<void> {
  const files = await writtenFiles();
  expect(files.size).toBeGreaterThan(2);
  for (const [path, content] of files) expectNoSecret(path, content.toString('latin1'));
}

/** Everything that HTTP has to say, errors included. */
async function readHttp(base: string): Promise<string> {
  const paths = ['/', '/metrics', '/healthz', '/readyz', '/nothing', '/api/nothing'];
  const apis = ['status', 'backups', 'events', 'history', 'tags', 'refusals', 'config', 'backups/none.csv'];
  let text = '';
  for (const path of [...paths, ...apis.map((name) => `/api/${name}`)]) {
    const stop = new AbortController();
    const response = await fetch(base + path, { signal: stop.signal });
    text += `${path} ${response.status} ${JSON.stringify([...response.headers])}`;
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) stop.abort();
    else text += await response.text();
  }
  for (const token of ['wrong', SECRETS.token]) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${base}/api/backups/none.csv/replay`, { method: 'POST', headers });
    text += `${response.status} ${await response.text()}`;
  }
  return text;
}

const baseOf = (running: Running): string => /"http":"([^"]+?)\/?"/.exec(running.output)![1]!;
const started = (running: Running): Promise<unknown> =>
  until(
    'the start',
    () => {
      if (running.child.exitCode !== null) throw new Error(`the bridge ended: ${running.output}`);
      return running.output.includes('bridge started');
    },
    30_000,
  );

describe('no secret is shown', () => {
  it('where neither broker nor database is there', async () => {
    const running = start(['run', '-c', await configFile({})], await secretFiles());
    await started(running);
    await until(
      'the failures',
      () => /broker not reachable/.test(running.output) && /no connection to keep warm/.test(running.output),
    );
    expectNoSecret('HTTP', await readHttp(baseOf(running)));
    expect(await running.end()).toBe(0);
    expectNoSecret('the output', running.output);
    await expectNoSecretInFiles();
  });

  it.skipIf(opensslMissing !== undefined)(
    'where the broker refuses the password, and the wallet does not open',
    async () => {
      const ca = createAuthority('ca');
      const wallet = walletPem(ca.issue({ subject: '/CN=bridge' }), ca.certificate, 'another');
      await mkdir(join(directory, 'wallet'));
      await writeFile(join(directory, 'wallet', 'ewallet.pem'), wallet);
      const seen: string[] = [];
      const broker = await startAedes({
        authenticate: (_client, user, password, done) => {
          seen.push(`${user} ${password?.toString()}`);
          done(Object.assign(new Error('refused'), { returnCode: 4 }), false);
        },
      });
      const standin = await startStandin();
      try {
        const config = await configFile({
          mqtt: { url: broker.url },
          oracle: { connectString: `tcps://127.0.0.1:${standin.port}/FREEPDB1`, walletDir: 'wallet' },
        });
        const running = start(['run', '-c', config], await secretFiles());
        await started(running);
        await until('the refusals', () =>
          /check mqtt\.password|mqtt\.username and mqtt\.password/.test(running.output),
        );
        await until('the wallet', () => running.output.includes('oracle.walletPassword does not open'));
        expectNoSecret('HTTP', await readHttp(baseOf(running)));
        expect(await running.end()).toBe(0);
        expect(seen).toContain(`bridge-user ${SECRETS.mqtt}`);
        expectNoSecret('the output', running.output);
        await expectNoSecretInFiles();
      } finally {
        await broker.stop();
        standin.stop();
      }
    },
  );

  it('in the work of a day: rows, backups, rejected and undecodable messages, notices, a lost database', async () => {
    const broker = await startAedes();
    const standin = await startStandin({ users: { BRIDGE: SECRETS.oracle } });
    await createTables(standin);
    const listener = await mqtt.connectAsync(broker.url);
    const notices: string[] = [];
    listener.on('message', (topic, payload) => notices.push(`${topic} ${payload.toString()}`));
    await listener.subscribeAsync('#', { qos: 1 });
    try {
      const config = await configFile({
        mqtt: { url: broker.url },
        oracle: { connectString: standin.connectString },
        backup: { dir: 'data/backup', probeIntervalMs: 200 },
      });
      const running = start(['run', '-c', config], await secretFiles(), 0);
      await started(running);
      await until('the database', () => running.output.includes('oracle takes batches'));
      await until('the subscription', () => running.output.includes('"message":"subscribed"'));
      await liveThrough(listener, standin, running);
      expectNoSecret('HTTP', await readHttp(baseOf(running)));
      const status = start(['status', '--url', baseOf(running)], await secretFiles());
      expect(await status.exited).toBe(0);
      const list = start(['backups', 'list', '-c', config], await secretFiles());
      await list.exited;
      expectNoSecret('the commands', status.output + list.output);
      await expectPrivateFiles();
      expect(await running.end()).toBe(0);
      expect(notices.join('\n')).toContain('/recovery/');
      expectNoSecret('the notices', notices.join('\n'));
      expectNoSecret('the output', running.output);
      await expectNoSecretInFiles();
    } finally {
      await listener.endAsync();
      await broker.stop();
      standin.stop();
    }
  });

  it.each([
    ['check', []],
    ['check', ['--connect']],
    ['schema', []],
    ['config', ['--example']],
    ['config', ['--markdown']],
    ['status', []],
    ['backups', ['list']],
    ['check', ['--set', `oracle.password=${SECRETS.oracle}`]],
    ['check', ['--set', `mqtt.url=mqtt://user:${SECRETS.mqtt}@127.0.0.1`]],
    ['check', ['--set', `oracle.connectString=bridge/${SECRETS.oracle}@db`]],
  ])('by the command %s %j', async (command, more) => {
    const takesConfig = command !== 'config';
    const config = takesConfig ? ['-c', await configFile({})] : [];
    const running = start([command, ...config, ...more], await secretFiles());
    await running.exited;
    expect(running.output).not.toBe('');
    expectNoSecret(`${command} ${more.join(' ')}`, running.output);
  });

  it.each(['run', 'check'])('by %s, where a secret stands in the wrong place', async (command) => {
    const config = await configFile({
      mqtt: { url: `mqtt://user:${SECRETS.mqtt}@127.0.0.1`, pasword: SECRETS.mqtt },
      oracle: { connectString: `bridge/${SECRETS.oracle}@127.0.0.1/x`, password: [SECRETS.oracle] },
      http: { token: `${SECRETS.token} with a space` },
    });
    const running = start([command, '-c', config], { BRIDGE_ORACLE_PASWORD: SECRETS.oracle });
    expect(await running.exited).toBe(78);
    expect(running.output).toContain('mqtt.url: must not hold a user name or password');
    expect(running.output).toContain('oracle.connectString: must not hold a user or a password');
    expectNoSecret(command, running.output);
  });

  it('by a file of secrets that has two lines, or that holds a NUL', async () => {
    const env = await secretFiles();
    await writeFile(env['BRIDGE_ORACLE_PASSWORD_FILE']!, `${SECRETS.oracle}\nsecond\n`);
    await writeFile(env['BRIDGE_MQTT_PASSWORD_FILE']!, `${SECRETS.mqtt}\0`);
    await writeFile(env['BRIDGE_HTTP_TOKEN_FILE']!, '\n');
    const running = start(['check', '-c', await configFile({})], env);
    expect(await running.exited).toBe(78);
    for (const path of ['oracle.password', 'mqtt.password', 'BRIDGE_HTTP_TOKEN_FILE']) {
      expect(running.output).toContain(path);
    }
    expectNoSecret('check', running.output);
  });
});

/** Rows that are written, rejected, backed up and replayed, and a message that is none. */
async function liveThrough(client: mqtt.MqttClient, standin: Standin, running: Running): Promise<void> {
  const say = (payload: string): Promise<unknown> => client.publishAsync('plc/P/tags', payload, { qos: 1 });
  const status = async (): Promise<{ counters: Record<string, number> }> =>
    (await (await fetch(`${baseOf(running)}/api/status`)).json()) as { counters: Record<string, number> };
  const counted = (name: string): Promise<unknown> =>
    until(name, async () => ((await status()).counters[name] ?? 0) > 0, 30_000);
  await say('{"plc_code":"P","tag_values":{"a":1}}');
  await counted('valuesWritten');
  await say(`{"plc_code":"P","tag_values":{"${'x'.repeat(5000)}":1,"=cmd":"@x"}}`);
  await counted('valuesRejected');
  await say('not JSON');
  await counted('messagesUndecodable');
  standin.close();
  standin.kill();
  await say('{"plc_code":"P","tag_values":{"b":2}}');
  await counted('valuesBackedUp');
  await until('the first notices', () => running.output.includes('batches go to the csv backup'));
  await standin.open();
  await counted('valuesReplayed');
}

/** The bridge ran with umask 0: all modes are of its own choice. */
async function expectPrivateFiles(): Promise<void> {
  const modes = new Map<string, string>();
  for (const name of await readdir(directory, { recursive: true })) {
    const stats = await stat(join(directory, name)).catch(() => undefined);
    if (stats !== undefined) modes.set(name, (stats.mode % 0o1000).toString(8));
  }
  const inData = [...modes].filter(([name]) => name.startsWith('data'));
  const directories = ['data', 'data/journal', 'data/journal/formats', 'data/backup'];
  expect(inData.map(([name]) => name)).toEqual(expect.arrayContaining([...directories, 'data/journal/lock']));
  expect(inData.filter(([name, mode]) => mode !== (directories.includes(name) ? '700' : '600'))).toEqual([]);
  expect(modes.get('log/bridge.log')).toBe('640');
}

describe('data that other users can get at', () => {
  it('is warned of at the start, with what to do', async () => {
    await mkdir(join(directory, 'data/backup'), { recursive: true });
    const old = join(directory, 'data/backup/undecodable_20251102_143100.csv');
    await writeFile(old, 'topic,payload_base64,reason_code,reason_message,received_at,message_no,payload_bytes\r\n', {
      mode: 0o644,
    });
    const running = start(['run', '-c', await configFile({})], await secretFiles());
    await started(running);
    expect(await running.end()).toBe(0);
    expect(running.output).toContain('other users can get at what the bridge keeps');
    expect(running.output).toContain('chmod -R g-w,o= data/backup');
  });
});
