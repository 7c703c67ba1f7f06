import { expect, it } from 'vitest';

import { pendingBackups } from '../../src/status-sources.ts';
import { stop } from './backup/cut-replay.ts';
import { backUp, start } from './backup/running-replays.ts';

it('a file that waits for a person is told by the destination that its rows were sent to', async () => {
  const before = await start({ isOracleUp: () => false });
  const file = await backUp(before, 'alarms', 1);
  await backUp(before, 'gone', 11);
  before.life.replay.start();
  await before.life.replay.request(file, 'energy');
  await stop(before.life);
  const { life } = await start({ destinations: ['default', 'alarms'] }, before);
  const { homeless } = pendingBackups({ backups: life.backups, replays: life.replay });
  expect(homeless).toEqual({ files: 2, rows: 6, destinations: ['energy', 'gone'] });
  await stop(life);
});
