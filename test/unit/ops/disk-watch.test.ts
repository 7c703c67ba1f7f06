import { describe, expect, it } from 'vitest';

import type { DiskRoom } from '../../../src/core/disk-room.ts';
import { DiskWatch } from '../../../src/ops/disk-watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const ROOMY: DiskRoom = { device: 1, totalBytes: 100 * GIB, freeBytes: 50 * GIB };

/** A watch whose disks, journal and backups a test changes. */
class Watched {
  readonly clock = new FakeClock();
  readonly log = new RecordingLogger();
  journal = { bytes: 0, maxBytes: GIB, messages: 0 };
  backupBytes = 0;
  rooms: Record<string, DiskRoom | Error> = { '/journal': ROOMY, '/backup': ROOMY };
  readonly watch = new DiskWatch({
    directories: { 'journal.dir': '/journal', 'backup.dir': '/backup' },
    room: (path) => {
      const room = this.rooms[path]!;
      return room instanceof Error ? Promise.reject(room) : Promise.resolve(room);
    },
    journal: () => this.journal,
    backupBytes: () => this.backupBytes,
    clock: this.clock,
    log: this.log,
  });

  /** Ten minutes at these rates, in bytes a second. */
  async grow(journal: number, backups: number): Promise<void> {
    for (let i = 0; i < 60; i += 1) {
      const messages = this.journal.messages + Math.sign(journal);
      this.journal = { ...this.journal, messages, bytes: this.journal.bytes + journal * 10 };
      this.backupBytes += backups * 10;
      await this.watch.look();
    }
  }
}

describe('DiskWatch', () => {
  it('knows two directories on one filesystem for one disk', async () => {
    const watched = new Watched();
    expect(watched.watch.disks).toEqual([]);
    await watched.watch.look();
    const { freeBytes, totalBytes } = ROOMY;
    const one = { directories: ['journal.dir', 'backup.dir'], freeBytes, totalBytes, state: 'ok' };
    expect(watched.watch.disks).toEqual([one]);
    watched.rooms['/backup'] = { ...ROOMY, device: 2 };
    await watched.watch.look();
    expect(watched.watch.disks.map(({ directories }) => directories)).toEqual([['journal.dir'], ['backup.dir']]);
  });

  it.each([
    ['ok', 100 * GIB, 2 * GIB],
    ['low', 100 * GIB, GIB - 1],
    ['ok', 8 * GIB, 500 * MIB],
    ['low', 8 * GIB, 400 * MIB],
    ['full', 8 * MIB, MIB - 1],
    ['full', 8 * GIB, 0],
  ])('says %s of %d bytes with %d free', async (state, totalBytes, freeBytes) => {
    const watched = new Watched();
    watched.rooms['/journal'] = { device: 1, totalBytes, freeBytes };
    await watched.watch.look();
    expect(watched.watch.disks[0]?.state).toBe(state);
  });

  it('says when a disk is full at this rate, and calls it low a day before', async () => {
    const watched = new Watched();
    watched.rooms['/backup'] = { device: 2, totalBytes: 100 * GIB, freeBytes: 36 * GIB };
    await watched.grow(0, MIB);
    expect(watched.watch.disks[1]).toMatchObject({ state: 'low', fullInSeconds: 36 * 1024 });
    expect(watched.watch.disks[0]).not.toHaveProperty('fullInSeconds');
    watched.rooms['/backup'] = { device: 2, totalBytes: 1000 * GIB, freeBytes: 360 * GIB };
    await watched.watch.look();
    expect(watched.watch.disks[1]).toMatchObject({ state: 'ok', fullInSeconds: 360 * 1024 });
    expect(watched.log.entries.map(({ message }) => message)).toEqual([
      'little room is left on a disk',
      'a disk has room again',
    ]);
  });

  it('lets the journal grow to its limit only, and says when it is there', async () => {
    const watched = new Watched();
    await watched.grow(MIB, 0);
    expect(watched.watch.journalFullInSeconds).toBe(1024 - 600);
    expect(watched.watch.disks[0]).not.toHaveProperty('fullInSeconds');
    watched.rooms = { '/journal': { ...ROOMY, freeBytes: 100 * MIB }, '/backup': { ...ROOMY, device: 2 } };
    await watched.watch.look();
    expect(watched.watch.disks[0]?.fullInSeconds).toBeCloseTo(100, -1);
    await watched.grow(0, 0);
    expect(watched.watch.journalFullInSeconds).toBeUndefined();
  });

  it('counts on the backups alone once the journal is at its limit', async () => {
    const watched = new Watched();
    watched.journal = { ...watched.journal, maxBytes: 700 * MIB };
    await watched.grow(MIB, MIB);
    expect(watched.watch.disks[0]?.fullInSeconds).toBe((50 * GIB - 100 * MIB) / MIB);
  });

  it('does not count on what settled messages take for a while', async () => {
    const watched = new Watched();
    for (let i = 0; i < 60; i += 1) {
      watched.journal = { ...watched.journal, bytes: i * MIB, messages: i % 7 };
      await watched.watch.look();
    }
    expect(watched.watch.journalFullInSeconds).toBeUndefined();
    expect(watched.watch.disks[0]).not.toHaveProperty('fullInSeconds');
  });

  it('goes on with the other where a directory can not be read, and says so once', async () => {
    const watched = new Watched();
    watched.rooms['/journal'] = { ...ROOMY, freeBytes: 0 };
    watched.rooms['/backup'] = Object.assign(new Error('stale handle'), { code: 'ESTALE' });
    await watched.watch.look();
    await watched.watch.look();
    expect(watched.watch.disks).toMatchObject([{ directories: ['journal.dir'], state: 'full' }]);
    expect(watched.log.messages()).toEqual(['the room on a disk cannot be read', 'a disk is full']);
  });

  it('tells of a disk that is low, then full, each once, and is not told by a forecast that wavers', async () => {
    const watched = new Watched();
    const large = { device: 2, totalBytes: 400 * GIB };
    for (let i = 0; i < 300; i += 1) {
      watched.backupBytes += (i % 2 === 0 ? 0.9 : 1.2) * 10 * MIB;
      watched.rooms['/backup'] = { ...large, freeBytes: (84 + (i % 7) / 2) * GIB };
      await watched.watch.look();
    }
    watched.rooms['/backup'] = { ...large, freeBytes: 0 };
    for (let i = 0; i < 3; i += 1) await watched.watch.look();
    expect(watched.log.messages()).toEqual(['little room is left on a disk', 'a disk is full']);
  });

  it('leaves out a filesystem that does not say what it has', async () => {
    const watched = new Watched();
    watched.rooms = { '/journal': { device: 1, totalBytes: 0, freeBytes: 0 }, '/backup': { ...ROOMY, device: 2 } };
    await watched.watch.look();
    expect(watched.watch.disks.map(({ directories }) => directories)).toEqual([['backup.dir']]);
  });

  it('says nothing more once it is stopped, as a disk may answer late', async () => {
    const watched = new Watched();
    watched.rooms['/journal'] = { ...ROOMY, freeBytes: 0 };
    const looking = watched.watch.look();
    watched.watch.stop();
    await looking;
    expect([watched.watch.disks, watched.log.entries]).toEqual([[], []]);
  });

  it('looks every ten seconds until it is stopped', async () => {
    const watched = new Watched();
    watched.watch.start();
    await watched.clock.advance(0);
    expect(watched.watch.disks[0]?.state).toBe('ok');
    watched.rooms['/journal'] = { ...ROOMY, freeBytes: 0 };
    await watched.clock.advance(10_000);
    expect(watched.watch.disks[0]?.state).toBe('full');
    watched.watch.stop();
  });
});
