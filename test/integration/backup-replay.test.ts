import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Backups } from '../../src/backup/backups.ts';
import { BackupFolder, UnknownFileError } from '../../src/backup/files/folder.ts';
import { listFiles } from '../../src/backup/replay/listing.ts';
import { Replays } from '../../src/backup/replay/replays.ts';
import { runCli } from '../../src/cli/cli.ts';
import { environmentName } from '../../src/config/setting.ts';
import { createCounters } from '../../src/core/counters.ts';
import { systemClock } from '../../src/core/clock.ts';
import { nodeFileSystem } from '../../src/core/node-filesystem.ts';
import { noStep } from '../../src/core/steps.ts';
import { createActions, type Refusal } from '../../src/ops/actions.ts';
import { HttpServer } from '../../src/ops/http.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { TABLES_DDL } from '../support/tag-table.ts';
import { valuesOf } from '../support/values.ts';
import { FakeOracle, plain } from '../unit/backup/fake-oracle.ts';
import { batchesOf } from '../support/batches.ts';

const DOWN = { code: 'ORA-12514', message: 'service is not registered' };
const TOKEN = 'a-token-of-the-test';

let dir = '';
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'backup-replay-'));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await rm(dir, { recursive: true });
});

async function command(argv: readonly string[], settings: Readonly<Record<string, string | number>>, isTTY = false) {
  let out = '';
  let err = '';
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [environmentName(key), String(value)]));
  const exitCode = await runCli(['backups', 'replay', ...argv], {
    stdout: { isTTY, write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env,
  });
  return { exitCode, out, err };
}

/** Two sealed backups of two rows each. */
async function fill(backups: Backups): Promise<string[]> {
  for (const first of [1, 3]) {
    const values = valuesOf(first, first + 1);
    values.stamp(first, 0);
    await backups.lane().backUp(values, DOWN);
    await backups.lane().endOutage();
  }
  return backups.files().map(({ name }) => name);
}

describe('backups replay beside a running bridge', () => {
  async function startBridge(token = TOKEN) {
    const shared = { fileSystem: nodeFileSystem, clock: systemClock, log: new RecordingLogger(), onStep: noStep };
    const folder = new BackupFolder(dir, nodeFileSystem);
    const destinations = ['default', 'alarms'];
    const options = { folder, destinations, maxRowsPerFile: 100, journalId: () => 'journal00001' };
    const backups = new Backups({ ...shared, ...options });
    await backups.start();
    const oracle = new FakeOracle();
    const alarms = new FakeOracle();
    const counters = createCounters();
    const replay = new Replays({
      ...shared,
      backups,
      session: (stream, destination) => (destination === 'alarms' ? alarms : oracle).session(stream),
      isOracleUp: () => true,
      isLiveBusy: () => false,
      isLedgerKnown: () => true,
      destinations,
      beforeDelete: () => Promise.resolve(),
      checkRows: () => [],
      decoder: () => ({ decode: () => ({ code: 'MADE_UP', message: 'not asked for here' }) }),
      counters: () => counters,
      enabled: false,
      batches: batchesOf(100),
    });
    replay.start();
    const notAsked = (): Promise<Refusal> => Promise.resolve({ status: 404, message: 'not asked for here' });
    const actions = createActions({
      token,
      replay: async (file, to) => {
        try {
          await replay.request(file, to);
          return undefined;
        } catch (error) {
          return { status: error instanceof UnknownFileError ? 404 : 409, message: String(error) };
        }
      },
      discard: notAsked,
      seal: notAsked,
      mend: notAsked,
    });
    const body = (): string => JSON.stringify(listFiles(backups, replay));
    const routes = { '/api/backups': () => ({ status: 200, contentType: 'application/json', body: body() }) };
    const http = new HttpServer({ ...shared, host: '127.0.0.1', port: 0, routes, actions });
    await http.start();
    cleanups.push(async () => {
      await http.stop();
      await replay.stop();
      await backups.stop();
    });
    const settings = { 'backup.dir': dir, 'http.port': new URL(http.url).port, 'http.token': token };
    return { alarms, backups, oracle, settings };
  }

  it('has it replay all sealed backups', async () => {
    const { backups, oracle, settings } = await startBridge();
    const [first, second] = await fill(backups);
    const { err, exitCode, out } = await command([], settings);
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`${first}: replayed\n`);
    expect(out).toContain(`${second}: replayed\n`);
    expect(oracle.numbers()).toEqual([1, 2, 3, 4]);
    expect(await readdir(dir)).toEqual([]);
  });

  it('has it send all rows of a file to another destination, and says why not', async () => {
    const { alarms, backups, oracle, settings } = await startBridge();
    await backups.lane('gone').backUp(valuesOf(1, 2), DOWN);
    await backups.lane('gone').endOutage();
    const { name } = backups.files()[0]!;
    expect((await command([], settings)).out).toBe('No sealed backups to replay.\n');
    expect(await command([name], settings)).toMatchObject({
      exitCode: 74,
      err: expect.stringContaining('its destination gone is not in oracle.destinations') as string,
    });
    expect(await command([name, '--to', 'nowhere'], settings)).toMatchObject({
      exitCode: 74,
      err: expect.stringContaining('no destination is called nowhere: there are default, alarms') as string,
    });
    expect(await command(['--to', 'alarms'], settings)).toMatchObject({ exitCode: 64 });
    expect(await command([name, '--to', 'alarms'], settings)).toEqual({
      exitCode: 0,
      err: '',
      out: expect.stringContaining(`${name}: replayed\n`) as string,
    });
    expect([alarms.numbers(), oracle.numbers()]).toEqual([[1, 2], []]);
  });

  it('says how many rows were refused again, and where they are', async () => {
    const { backups, oracle, settings } = await startBridge();
    const [first, second] = await fill(backups);
    oracle.refusedTag = plain(valuesOf(1))[0]!.name;
    const { exitCode, out } = await command([first!, second!], settings);
    const [rejected] = backups.files();
    expect([exitCode, rejected?.kind]).toEqual([0, 'rejected']);
    expect(out).toContain(`${first}: replayed\n`);
    expect(out.endsWith(`${second}: replayed\n2 rows refused meanwhile: ${rejected!.name}\n`)).toBe(true);
  });

  it('draws a bar on a terminal', async () => {
    const { backups, oracle, settings } = await startBridge();
    const [first] = await fill(backups);
    let isHeld = true;
    oracle.before = async () => {
      if (!isHeld) return;
      isHeld = false;
      await new Promise((resolve) => void systemClock.setTimer(700, () => resolve(undefined)));
    };
    const { out } = await command([first!], settings, true);
    expect(out).toMatch(/\r\S+ \[-{30}\] {3}0 % {2}0 of 2 rows/);
    expect(backups.files()).toHaveLength(1);
  });

  it('says that http.token must be set', async () => {
    const { settings } = await startBridge('');
    expect(await command([], settings)).toMatchObject({
      exitCode: 78,
      err: expect.stringContaining('http.token is empty') as string,
    });
  });

  it('says that the token is wrong, and that a file is not there', async () => {
    const { backups, settings } = await startBridge();
    await fill(backups);
    expect((await command([], { ...settings, 'http.token': 'another-token-than-that' })).exitCode).toBe(78);
    const { err, exitCode } = await command(['nowhere.csv'], settings);
    expect(exitCode).toBe(74);
    expect(err).toContain('no such backup file: nowhere.csv');
  });
});

describe('backups replay without a bridge', () => {
  async function prepare(): Promise<{ standin: Standin; settings: Record<string, string | number> }> {
    const standin = await startStandin();
    cleanups.push(async () => standin.stop());
    for (const statement of TABLES_DDL.split(/;\s*/)) {
      if (statement !== '') await standin.engine.query(statement, 'BRIDGE');
    }
    const settings = {
      'backup.dir': join(dir, 'backup'),
      'journal.dir': join(dir, 'journal'),
      'http.enabled': 'false',
      'mqtt.url': 'mqtt://127.0.0.1:1',
      'mqtt.subscriptions': '[{"topic":"a","format":"polling"}]',
      'oracle.connectString': standin.connectString,
      'oracle.user': 'bridge',
      'oracle.password': 'secret',
    };
    return { standin, settings };
  }

  async function startBackups(): Promise<Backups> {
    const folder = new BackupFolder(join(dir, 'backup'), nodeFileSystem);
    const options = { folder, maxRowsPerFile: 100, journalId: () => 'another12345', onStep: noStep };
    const backups = new Backups({ ...options, clock: systemClock, log: new RecordingLogger() });
    await backups.start();
    return backups;
  }

  it('does it itself, with the real driver', async () => {
    const { settings, standin } = await prepare();
    const backups = await startBackups();
    await fill(backups);
    await backups.stop();
    const { err, exitCode, out } = await command([], settings);
    expect([exitCode, err]).toEqual([0, '']);
    expect(out.match(/: replayed\n/g)).toHaveLength(2);
    expect(await readdir(join(dir, 'backup'))).toEqual([]);
    const counted = await standin.engine.query('SELECT COUNT(*) FROM TAG_DATA', 'BRIDGE');
    expect(counted.map((row) => Object.values(row))).toEqual([[4]]);
  });

  it('sends the rows of a destination that is gone to the default, with the real driver', async () => {
    const { settings, standin } = await prepare();
    const backups = await startBackups();
    await backups.lane('gone').backUp(valuesOf(1, 2), DOWN);
    const { name } = backups.files()[0]!;
    await backups.stop();
    expect(await command([name], settings)).toMatchObject({ exitCode: 74 });
    expect(await command([name, '--to', 'default'], settings)).toMatchObject({ exitCode: 0, err: '' });
    const counted = await standin.engine.query('SELECT COUNT(*) FROM TAG_DATA', 'BRIDGE');
    expect(counted.map((row) => Object.values(row))).toEqual([[2]]);
  });

  it('makes rows of undecodable messages once the subscription is mended, as of their receipt', async () => {
    const { settings, standin } = await prepare();
    const backups = await startBackups();
    for (const [i, payload] of ['12.5', 'RUN', '{"value":[1]}', Buffer.from([0xff])].entries()) {
      const topic = `plant/PLC01/D${i}`;
      const message = { number: i + 1, topic, payload: Buffer.from(payload), receivedAtMs: 1_762_093_825_000 + i };
      await backups.addUndecodable(message, { code: 'NOT_AN_OBJECT', message: 'not an object' });
    }
    const { name } = backups.files()[0]!;
    await backups.stop();
    expect(await command([name], settings)).toMatchObject({
      exitCode: 74,
      out: expect.stringContaining('none of its 4'),
    });
    const subscription = { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' };
    const mended = { ...settings, 'mqtt.subscriptions': JSON.stringify([subscription]) };
    const { err, exitCode, out } = await command([name], mended);
    expect([exitCode, err]).toEqual([0, '']);
    const left = name.replace('.csv', '_2.csv');
    const [rejected, ...others] = (await readdir(join(dir, 'backup'))).sort();
    expect([rejected, others]).toEqual([expect.stringMatching(/^rejected_/), [left]]);
    expect(out).toContain(`${name}: replayed, but for 1 message still undecodable: ${left}\n`);
    expect(out.endsWith(`1 row refused meanwhile: ${rejected}\n`)).toBe(true);
    const rows = await standin.engine.query('SELECT tag_name, tag_value, tag_text, timestamp FROM TAG_DATA', 'BRIDGE');
    expect(rows.map((row) => Object.values(row))).toMatchObject([
      ['PLC01.D0', 12.5, null, { ms: 1_762_093_825_000 }],
      ['PLC01.D1', null, 'RUN', { ms: 1_762_093_825_001 }],
    ]);
    expect(await command([left], mended)).toMatchObject({ exitCode: 74, out: expect.stringContaining('INVALID_UTF8') });
  }, 60_000);

  it('says that there is nothing to do', async () => {
    const { settings } = await prepare();
    expect(await command([], settings)).toMatchObject({ exitCode: 0, out: 'No sealed backups to replay.\n' });
  });
});
