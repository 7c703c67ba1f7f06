import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { Backups } from '../../src/backup/backups.ts';
import { BackupFolder } from '../../src/backup/files/folder.ts';
import { Replays } from '../../src/backup/replay/replays.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createCounters } from '../../src/core/counters.ts';
import type { LedgerSession } from '../../src/core/ledger-session.ts';
import { nodeFileSystem } from '../../src/core/node-filesystem.ts';
import { noStep } from '../../src/core/steps.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { connectionsTo } from '../support/oracle-connections.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { startStandin } from '../support/standin/standin.ts';
import { createTables, readRows, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { valuesOf } from '../support/values.ts';
import { batchesOf } from '../support/batches.ts';

const shared = { fileSystem: nodeFileSystem, clock: systemClock, log: new RecordingLogger() };

async function startBackups(): Promise<Backups> {
  const dir = await mkdtemp(join(tmpdir(), 'replay-refused-row-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const folder = new BackupFolder(dir, nodeFileSystem);
  const backups = new Backups({
    ...shared,
    folder,
    maxRowsPerFile: 100,
    journalId: () => 'journal00001',
    onStep: noStep,
  });
  await backups.start();
  onTestFinished(() => backups.stop());
  return backups;
}

test('a replayed batch that ends with a refused row costs no further log-on, read or write', async () => {
  const standin = await startStandin();
  onTestFinished(() => standin.stop());
  await createTables(standin);
  const connections = connectionsTo(standin);
  onTestFinished(() => connections.stop());
  const sessions = new Sessions(connections, { ...SESSIONS_OPTIONS, bridgeId: 'test-bridge' });
  const calls: string[] = [];
  const counted = (session: LedgerSession): LedgerSession => ({
    readPlace: () => (calls.push('read'), session.readPlace()),
    write: (...args) => (calls.push('write'), session.write(...args)),
    forget: () => session.forget(),
    probe: () => session.probe(),
    interrupt: () => session.interrupt(),
  });
  const backups = await startBackups();
  const values = valuesOf(1, 2, 3, 4, 5, 6);
  values.stamp(1, 0);
  for (const refused of [1, 3, 5]) values.qualities[refused] = 'far longer than sixteen';
  await backups.lane().backUp(values, { code: 'ORA-12514', message: 'service is not registered' });
  await backups.lane().endOutage();
  const counters = createCounters();
  const replay = new Replays({
    ...shared,
    backups,
    session: (stream, _destination, blamesRows) => counted(sessions.replay(stream, blamesRows)),
    isOracleUp: () => true,
    isLiveBusy: () => false,
    isLedgerKnown: () => true,
    destinations: ['default'],
    beforeDelete: () => Promise.resolve(),
    checkRows: () => [],
    decoder: () => ({ decode: () => ({ code: 'MADE_UP', message: 'not asked for here' }) }),
    counters: () => counters,
    enabled: true,
    batches: batchesOf(2),
  });
  replay.start();
  onTestFinished(() => replay.stop());
  await until('the backup is replayed', () => backups.files().every(({ kind }) => kind === 'rejected'));
  expect((await readRows(standin)).map(({ value }) => value)).toEqual([1, 3, 5]);
  expect(backups.files()).toMatchObject([{ rows: 3 }]);
  expect(counters.valuesReplayed).toBe(3);
  expect(calls).toEqual(['read', 'write', 'write', 'write']);
  expect(standin.stats.logonsAccepted).toBe(1);
});
