import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { SecretWatch } from '../../../src/cli/process/secret-watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';

const PERIOD_MS = 5_000;
const PASSWORD = 'oracle.password';

let directory: string;
let clock: FakeClock;
let log: RecordingLogger;
let watch: SecretWatch;
let taken: Record<string, string>[];
let wallets: number;

const file = (name: string): string => join(directory, name);

/** Reads what is there, and waits until the next look is planned. */
async function start(files: Readonly<Record<string, string>>): Promise<void> {
  watch = new SecretWatch({
    files: new Map(Object.entries(files)),
    walletDir: file('wallet'),
    clock,
    log,
    onSecrets: (values) => void taken.push(Object.fromEntries(values)),
    onWallet: () => void (wallets += 1),
  });
  watch.start();
  await until('the first look', () => clock.pendingTimers === 1);
}

async function look(): Promise<void> {
  await clock.advance(PERIOD_MS);
  await until('the look to be over', () => clock.pendingTimers === 1);
}

describe('SecretWatch', () => {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'secrets-'));
    await mkdir(file('wallet'));
    clock = new FakeClock();
    log = new RecordingLogger();
    taken = [];
    wallets = 0;
  });

  afterEach(async () => {
    watch.stop();
    await rm(directory, { recursive: true });
  });

  it('tells of a secret that has changed, and of nothing else', async () => {
    await writeFile(file('password'), 'first\n');
    await writeFile(file('token'), 'a-token');
    await start({ [PASSWORD]: file('password'), 'http.token': file('token') });
    await look();
    await writeFile(file('token'), 'another-token');
    await writeFile(file('password'), 'first');
    await look();
    expect(taken).toEqual([]);
    await writeFile(file('password'), 'second\r\n');
    await look();
    await look();
    expect(taken).toEqual([{ [PASSWORD]: 'second' }]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('sees a symbolic link turn, as an orchestrator changes secrets', async () => {
    for (const version of ['one', 'two']) {
      await mkdir(file(version));
      await writeFile(join(file(version), 'password'), version);
    }
    await symlink('one', file('data'));
    await start({ [PASSWORD]: join(file('data'), 'password') });
    await symlink('two', file('data.new'));
    await rename(file('data.new'), file('data'));
    await look();
    expect(taken).toEqual([{ [PASSWORD]: 'two' }]);
  });

  it.each<[string, Buffer]>([
    ['empty', Buffer.from('\n')],
    ['no UTF-8', Buffer.from('p\xe4ss', 'latin1')],
    ['of two lines', Buffer.from('a\nb\n')],
  ])('leaves a secret alone that is %s, says so once, and never shows it', async (_what, bytes) => {
    await writeFile(file('password'), 'first');
    await start({ [PASSWORD]: file('password') });
    await writeFile(file('password'), bytes);
    for (let i = 0; i < 3; i += 1) await look();
    expect(taken).toEqual([]);
    expect(log.entries.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await writeFile(file('password'), 'first');
    await look();
    expect(taken).toEqual([]);
  });

  it('outlives a file that is gone for a while', async () => {
    await writeFile(file('password'), 'first');
    await start({ [PASSWORD]: file('password') });
    await unlink(file('password'));
    await look();
    await writeFile(file('password'), 'second');
    await look();
    expect(taken).toEqual([{ [PASSWORD]: 'second' }]);
  });

  it('tells of another wallet', async () => {
    await writeFile(file('wallet/ewallet.pem'), 'old');
    await start({});
    await look();
    expect(wallets).toBe(0);
    await writeFile(file('wallet/ewallet.pem'), 'new');
    await look();
    await writeFile(file('wallet/tnsnames.ora'), 'PLANT = db:1521/x');
    await look();
    expect([wallets, taken]).toEqual([2, []]);
  });
});
