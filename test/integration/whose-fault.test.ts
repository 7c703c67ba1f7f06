import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Backups } from '../../src/backup/backups.ts';
import { BackupFolder } from '../../src/backup/files/folder.ts';
import { Replays } from '../../src/backup/replay/replays.ts';
import { createCounters, type Counters } from '../../src/core/counters.ts';
import type { DatabaseErrorKind } from '../../src/core/errors.ts';
import { Gate } from '../../src/core/gate.ts';
import { nodeFileSystem } from '../../src/core/node-filesystem.ts';
import { ORIGIN } from '../../src/core/place.ts';
import { noStep } from '../../src/core/steps.ts';
import type { Connections } from '../../src/oracle/connections.ts';
import { toDatabaseError } from '../../src/oracle/ora-errors.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { BatchWriter } from '../../src/writer/batch-writer.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { connectionsTo } from '../support/oracle-connections.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import type { FaultError, FaultHandle } from '../support/standin/faults.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables, readRows, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { FakeSource } from '../unit/writer/running-writer.ts';
import { batchesOf } from '../support/batches.ts';

/*
 * What becomes of rows for each error of the database, given for one row of a batch, for all of them, and for the whole
 * statement: with the real driver, live data and the replay, on virtual time.
 */

const BATCH = 20;
const ROUND_MS = 5000;

interface Code {
  readonly error: FaultError;
  readonly kind: DatabaseErrorKind;
  readonly hasRemedy: boolean;
}

function database(kind: DatabaseErrorKind, hasRemedy: boolean, ...codes: readonly number[]): Code[] {
  return codes.map((code) => ({ error: { code, message: 'made to fail' }, kind, hasRemedy }));
}

/** As in ora-codes.ts: what the whole database suffers from, some behind the code of where it came up. */
const DATABASES: readonly Code[] = [
  ...database('resource', true, 1536, 1628, 1630, 1647, 1653, 1692, 30_032, 30_036, 257),
  ...database('resource', true, 4030, 4031, 4036, 372, 376, 1110, 1114, 1115, 1135, 1578, 28_365, 28_374, 2002),
  ...database('resource', true, 16_000, 12_081, 1502, 8102),
  ...database('configuration', true, 4063, 4091, 4098, 6508, 28_112, 932, 942, 904, 1031),
  ...database('passing', false, 54, 60, 1410, 1555, 1591, 2049, 2068, 3150, 4020, 8103, 14_766),
  {
    error: { code: 604, message: 'level 1\nORA-01653: unable to extend table SYS.AUD$' },
    kind: 'resource',
    hasRemedy: true,
  },
  { error: { code: 12_801, message: 'in P001\nORA-28365: wallet is not open' }, kind: 'resource', hasRemedy: true },
];

const ROWS_OWN = [1, 1400, 1402, 1438, 1722, 2290, 2291, 12_899, 20_001, 28_115].map((code) => ({
  code,
  message: 'bad',
}));
const UNLISTED: FaultError = { code: 7777, message: 'in no list' };
const NO_PARTITION: FaultError = { code: 14_400, message: 'inserted partition key does not map to any partition' };

let standin: Standin;
let connections: Connections;
let dir: string;
let clock: FakeClock;
let log: RecordingLogger;
let source: FakeSource;
let counters: Counters;
let backups: Backups;
let writer: BatchWriter;
let replay: Replays;
let stop: AbortController;
let running: Promise<void>;
let lastNumber = 0;

beforeAll(async () => {
  standin = await startStandin();
  await createTables(standin);
  // Their clock stands still, so that none is replaced for its age, and as many are open as are ever used at once: a
  // log-on that comes later is one that an error has cost.
  connections = connectionsTo(standin, { clock: new FakeClock() });
  const both = new Gate();
  let open = 0;
  const hold = async (): Promise<void> => {
    open += 1;
    if (open === 2) both.open();
    else await both.wait();
  };
  await Promise.all([connections.use('test', hold), connections.use('test', hold)]);
});

afterAll(async () => {
  await connections.stop();
  standin.stop();
});

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'whose-fault-'));
  clock = new FakeClock();
  log = new RecordingLogger();
  source = new FakeSource();
  counters = createCounters();
  stop = new AbortController();
  const journalId = `journal${lastNumber}`;
  const sessions = new Sessions(connections, { ...SESSIONS_OPTIONS, bridgeId: 'test-bridge' });
  const shared = { fileSystem: nodeFileSystem, clock, log, onStep: noStep };
  const folder = new BackupFolder(dir, nodeFileSystem);
  backups = new Backups({ ...shared, folder, maxRowsPerFile: 1000, journalId: () => journalId });
  await backups.start();
  replay = new Replays({
    ...shared,
    backups,
    session: (stream, _destination, blamesRows) => sessions.replay(stream, blamesRows),
    isOracleUp: () => writer.isCertain,
    isLiveBusy: () => false,
    isLedgerKnown: () => writer.isCertain,
    destinations: ['default'],
    beforeDelete: () => Promise.resolve(),
    checkRows: () => [],
    decoder: () => ({ decode: () => ({ code: 'MADE_UP', message: 'not asked for here' }) }),
    counters: () => counters,
    enabled: true,
    batches: batchesOf(BATCH),
  });
  const options = {
    ...batchesOf(BATCH),
    intervalMs: 100,
    retry: { attempts: 1, initialDelayMs: 100, factor: 2 },
    probeIntervalMs: ROUND_MS,
    rowCheck: { maxTextBytes: 4000, valueType: 'binary_double', hasTextColumn: true },
    resumeAfter: { counted: ORIGIN, settled: ORIGIN, recovered: ORIGIN, ledger: ORIGIN, rejected: new Set<string>() },
  } as const;
  writer = new BatchWriter(options, {
    ...shared,
    source,
    database: sessions.live(journalId),
    backup: backups.lane(),
    counters,
    onWritten: () => {},
    onError: () => {},
    onSettled: () => {},
    onLedgerAhead: () => {},
    onUp: () => replay.wake(),
  });
  replay.start();
  running = writer.run(stop.signal);
  await goOnUntil('the writer is up', () => writer.isCertain);
});

afterEach(async () => {
  standin.faults.clear();
  stop.abort();
  await goOnUntil('the writer has ended', () => running.then(() => true));
  await replay.stop();
  await backups.stop();
  await rm(dir, { recursive: true });
});

/** Time goes on, step by step, until the condition holds. */
async function goOnUntil(what: string, condition: () => boolean | Promise<boolean>, stepMs = 100): Promise<void> {
  const step = async (): Promise<boolean> => {
    await clock.advance(stepMs);
    return condition();
  };
  await until(what, step, 30_000, 0);
}

/** Gives a batch of new values to the writer, and waits until each is somewhere. */
async function offer(count = BATCH): Promise<number[]> {
  const numbers = Array.from({ length: count }, (_, i) => lastNumber + 1 + i);
  lastNumber += count;
  source.offer(...numbers);
  await goOnUntil('the batch is settled', () => source.size === 0 && writer.pending === 0);
  return numbers;
}

function fail(
  rule: { readonly rows: 'one' | 'all'; readonly error: FaultError } | { readonly error: FaultError },
): FaultHandle {
  const insert = { on: 'execute', sql: 'INSERT INTO "TAG_DATA"', times: Number.POSITIVE_INFINITY } as const;
  if (!('rows' in rule)) return standin.faults.add({ ...insert, error: rule.error });
  const offsets = rule.rows === 'one' ? [3] : Array.from({ length: BATCH }, (_, i) => i);
  return standin.faults.add({ ...insert, rowErrors: Object.fromEntries(offsets.map((i) => [i, rule.error])) });
}

async function inTable(numbers: readonly number[]): Promise<number[]> {
  const wanted = new Set(numbers);
  const rows = await readRows(standin);
  return rows
    .flatMap(({ value }) => (typeof value === 'number' && wanted.has(value) ? [value] : []))
    .sort((a, b) => a - b);
}

/** After the cause is gone, with new values coming, everything is in the table once, and no file is left. */
async function expectAllWritten(numbers: readonly number[]): Promise<void> {
  const more = await offer(3);
  const isOver = async (): Promise<boolean> =>
    backups.files().length === 0 && (await readdir(dir)).length === 0 && writer.availability.state === 'connected';
  await goOnUntil('all is written', isOver, 1000);
  expect(await inTable([...numbers, ...more])).toEqual([...numbers, ...more]);
}

/** What was said when Oracle went down. */
function outage(): Record<string, unknown> | undefined {
  return log.entries.find(({ message }) => message.startsWith('oracle is down'))?.fields;
}

describe.each(DATABASES)('ORA-$error.code of the database', ({ error, kind, hasRemedy }) => {
  it.each([
    ['one row', { rows: 'one', error }],
    ['all rows', { rows: 'all', error }],
    ['the whole statement', { error }],
  ] as const)('given for %s, rejects nothing, and all is written once the cause is gone', async (_what, rule) => {
    const logOns = standin.stats.logonsAccepted;
    const fault = fail(rule);
    const numbers = await offer();
    const down = outage();
    expect(down?.['remedy'] !== undefined).toBe(hasRemedy);
    expect(toDatabaseError(new Error(`${String(down?.['code'])}: x`), false).kind).toBe(kind);
    expect(backups.files()).toMatchObject([{ kind: 'backup', rows: BATCH, reason: { code: down?.['code'] } }]);
    fault.clear();
    await expectAllWritten(numbers);
    expect(counters.valuesRejected).toBe(0);
    expect(standin.stats.logonsAccepted).toBe(logOns);
  });
});

describe.each([...ROWS_OWN, UNLISTED])('ORA-$code, which a row may have on its own,', (error) => {
  it('rejects the one row that has it, and no other', async () => {
    fail({ rows: 'one', error });
    const numbers = await offer();
    expect(writer.availability.state).toBe('connected');
    expect(backups.files()).toMatchObject([{ kind: 'rejected', rows: 1 }]);
    expect(await inTable(numbers)).toEqual(numbers.filter((_, i) => i !== 3));
  });

  it.each([
    ['all rows have it', { rows: 'all', error }],
    ['the whole statement has it', { error }],
  ] as const)('is an outage where %s, and all is written once the cause is gone', async (_what, rule) => {
    const fault = fail(rule);
    const numbers = await offer();
    expect(outage()?.['code']).toBe(`ORA-${String(error.code).padStart(5, '0')}`);
    expect(backups.files()).toMatchObject([{ kind: 'backup', rows: BATCH }]);
    fault.clear();
    await expectAllWritten(numbers);
    expect(counters.valuesRejected).toBe(0);
  });
});

describe('rows without a partition', () => {
  it('are held alone, tried again by themselves, and written once the DBA has added it', async () => {
    const fault = fail({ rows: 'one', error: NO_PARTITION });
    const numbers = await offer();
    expect(backups.files()).toMatchObject([{ kind: 'held', rows: 1, reason: { code: 'ORA-14400' } }]);
    expect(await inTable(numbers)).toHaveLength(BATCH - 1);
    fault.clear();
    await expectAllWritten(numbers);
  });
});

describe('rows of a backup that are bad in truth', () => {
  it.each([
    ['all rows of a batch', { rows: 'all', error: UNLISTED }],
    ['the whole statement', { error: UNLISTED }],
  ] as const)('are rejected in the end, when others are taken time and again: %s', async (_what, rule) => {
    // The statement of live data comes with three rows here, that of the file with BATCH of them: only it is refused.
    const live = fail(rule);
    const numbers = await offer();
    live.clear();
    const isReplays = { on: 'execute', sql: /INSERT INTO "TAG_DATA"/, times: Number.POSITIVE_INFINITY } as const;
    const offsets = Array.from({ length: BATCH - 3 }, (_, i) => [i + 3, UNLISTED] as const);
    standin.faults.add({ ...isReplays, rowErrors: Object.fromEntries(offsets) });
    await goOnUntil('the bad ones are rejected', async () => {
      await offer(3);
      await clock.advance(10_000);
      return backups.files().length > 0 && backups.files().every(({ kind }) => kind === 'rejected');
    });
    expect(await inTable(numbers)).toEqual(numbers.slice(0, 3));
    expect(backups.files().reduce((sum, { rows }) => sum + rows, 0)).toBe(BATCH - 3);
  });
});
