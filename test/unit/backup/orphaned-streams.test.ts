import { describe, expect, it } from 'vitest';

import { writeNote } from '../../../src/backup/replay/replay-note.ts';
import type { DiskOperation } from '../../support/lossy-filesystem.ts';
import { stop } from './cut-replay.ts';
import { backUp, start, within, type Setup } from './running-replays.ts';

const STREAM = 'replay/backup_20250101_000000.csv/journal/1';

/** What a run leaves that was cut off once a replayed file was gone: the ledger's row, and the note of its name. */
async function leave({ life: { backups }, tables }: Setup, destination: string): Promise<string> {
  const file = `backup_20250101_00000${destination.length}.csv`;
  await writeNote(backups.folder, file, { streams: { journal: STREAM }, destination, to: undefined });
  tables.of(destination).ledger.set(STREAM, { messageNo: 1, valueNo: 0 });
  return `${file}.replay`;
}

/** The disk refuses the operation on what ends so, as long as `isOn` says. */
function refuse({ disk }: Setup, operation: DiskOperation, ending: string, isOn: () => boolean): void {
  disk.before = (asked, path) => {
    if (asked === operation && path.endsWith(ending) && isOn()) {
      throw Object.assign(new Error('EIO: on demand of the test'), { code: 'EIO' });
    }
  };
}

describe('what a cut off run left of a replayed file', () => {
  it.each([
    ['default', 'the folder', 'list', '/backup'],
    ['alarms', 'the folder', 'list', '/backup'],
    ['default', 'the note', 'read', '.replay'],
    ['alarms', 'the note', 'read', '.replay'],
  ] as const)(
    'of %s is forgotten, too, where %s could not be read at the start',
    async (whose, _what, operation, end) => {
      const setup = await start();
      const { backups, log, replay } = setup.life;
      const note = await leave(setup, whose);
      let isRefused = true;
      refuse(setup, operation, end, () => isRefused);
      replay.start();
      await within(setup, 'the disk refuses', () => log.entries.some(({ level }) => level === 'warn'));
      isRefused = false;
      await within(setup, 'the ledger’s row is gone', () => setup.tables.of(whose).ledger.size === 0);
      await within(setup, 'the replay has nothing to do', () => replay.allProgress().length === 0);
      await stop(setup.life);
      expect(await backups.folder.list()).not.toContain(note);
    },
  );

  it('holds up no file while the disk does not give its note', async () => {
    const setup = await start();
    const { backups, replay } = setup.life;
    const note = await leave(setup, 'alarms');
    refuse(setup, 'read', note, () => true);
    for (const destination of ['default', 'alarms']) await backUp(setup, destination, 1);
    replay.start();
    await within(setup, 'the others are replayed', () => backups.files().length === 0);
    expect(setup.tables.numbers()).toEqual({ default: [1, 2, 3], alarms: [1, 2, 3] });
    expect(setup.tables.of('alarms').ledger.has(STREAM)).toBe(true);
    await stop(setup.life);
  });
});

describe('a replayed file that the disk does not take away whole', () => {
  it.each([
    ['nobody asked for it', false],
    ['a person asked for it', true],
  ])('is taken away later, and its streams are forgotten, also where %s', async (_who, isAsked) => {
    const setup = await start({ enabled: !isAsked });
    const { backups, log, replay } = setup.life;
    const name = await backUp(setup, 'alarms', 1);
    let isRefused = true;
    refuse(setup, 'remove', `${name}.left.tmp`, () => isRefused);
    replay.start();
    if (isAsked) await replay.request(name);
    await within(setup, 'the disk refuses', () => log.entries.some(({ level }) => level === 'warn'));
    // The file has another name by now: whoever looks finds that it has gone.
    await backups.rescan();
    expect(backups.files()).toEqual([]);
    const other = await backUp(setup, 'alarms', 11);
    await replay.request(other);
    await within(setup, 'another one is replayed meanwhile', () => backups.files().length === 0);
    isRefused = false;
    await within(setup, 'the ledger’s rows are gone', () => setup.tables.of('alarms').ledger.size === 0);
    await within(setup, 'the replay has nothing to do', () => replay.allProgress().length === 0);
    expect(replay.requestState(name)?.state).toBe(isAsked ? 'done' : undefined);
    await stop(setup.life);
    expect(await backups.folder.list()).toEqual([]);
    expect(setup.tables.numbers()['alarms']).toEqual([1, 2, 3, 11, 12, 13]);
  });
});
