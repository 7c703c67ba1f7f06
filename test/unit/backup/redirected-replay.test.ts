import { describe, expect, it } from 'vitest';

import { DatabaseError } from '../../../src/core/errors.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { DIR, live, stop, type Deeds } from './cut-replay.ts';
import { REFUSED } from './running-backups.ts';
import { numbered } from './running-replay.ts';
import { backUp, DESTINATIONS, start, Tables, within } from './running-replays.ts';

describe('a file of a destination that the configuration does not name', () => {
  it('is taken by nobody, and says what to do', async () => {
    const setup = await start();
    const { backups, replay } = setup.life;
    const gone = await backUp(setup, 'gone', 1);
    await backUp(setup, 'default', 11);
    replay.start();
    await within(setup, 'the others are replayed', () => backups.files().length === 1);
    await setup.life.clock.advance(600_000);
    const hint = 'its destination gone is not in oracle.destinations: put it back, or backups replay FILE --to NAME';
    expect(backups.facts(gone)).toMatchObject({ state: 'sealed', destination: 'gone', problem: undefined, hint });
    expect(backups.homeless().map(({ name }) => name)).toEqual([gone]);
    await expect(replay.request(gone)).rejects.toThrow(`${gone}: ${hint}`);
    await expect(replay.request(gone, 'nowhere')).rejects.toThrow(
      'no destination is called nowhere: there are default, alarms, energy',
    );
    expect(setup.tables.numbers()).toEqual({ default: [11, 12, 13] });
    await stop(setup.life);
  });

  it('goes where a person sends it, but for what is in Oracle already', async () => {
    let isKnown = false;
    const setup = await start({ isLedgerKnown: (destination) => destination !== 'gone' || isKnown });
    const { backups, replay } = setup.life;
    const gone = await backUp(setup, 'gone', 1);
    replay.start();
    await replay.request(gone, 'energy');
    expect(backups.facts(gone)).toMatchObject({ to: 'energy', hint: undefined });
    await within(setup, 'it waits', () => replay.requestState(gone)?.state === 'waiting');
    expect(replay.requestState(gone)?.problem).toContain('what of it is in the table of gone already');
    await backups.lane('gone').stampSkip({ messageNo: 1, valueNo: 0 });
    isKnown = true;
    replay.wake();
    await within(setup, 'it is replayed', () => backups.files().length === 0);
    expect(setup.tables.numbers()).toEqual({ default: [], energy: [2, 3] });
    await within(setup, 'its stream is forgotten', () => setup.tables.of('energy').ledger.size === 0);
    await stop(setup.life);
  });

  it.each([
    [
      'of a row',
      ',3,0,,gone,',
      ',3,0,,alarms,',
      'rows of it are for alarms, but what of it is in Oracle is known of gone',
    ],
    ['of all rows', ',gone,', ',alarms,', 'its rows are for alarms now and were for gone'],
  ])('is not written where a person has changed whom it is for %s', async (_which, was, is, problem) => {
    const setup = await start();
    const file = await backUp(setup, 'gone', 1);
    await setup.life.backups.lane('gone').stampSkip({ messageNo: 1, valueNo: 0 });
    await stop(setup.life);
    const mount = setup.disk.mount();
    const text = (await mount.read(`${DIR}/${file}`)).toString();
    await mount.remove(`${DIR}/${file}`);
    const edited = await mount.create(`${DIR}/${file}`);
    await edited.append(Buffer.from(text.replaceAll(was, is)));
    await edited.close();
    const next = await start({}, setup);
    const { backups, replay } = next.life;
    // The live rows of another destination went on: that says nothing of these.
    await backups.lane('alarms').stampSkip({ messageNo: 100, valueNo: 0 });
    await replay.request(file, 'energy');
    replay.start();
    await within(next, 'it is refused', () => replay.requestState(file)?.state === 'failed');
    expect(replay.requestState(file)?.problem).toContain(problem);
    expect(next.tables.numbers()).toEqual({ default: [] });
    await stop(next.life);
  });

  it('can be sent elsewhere until its replay has begun, and then no more', async () => {
    const setup = await start({ isOracleUp: () => false });
    const gone = await backUp(setup, 'gone', 1);
    setup.life.replay.start();
    await setup.life.replay.request(gone, 'energy');
    await setup.life.replay.request(gone, 'alarms');
    await stop(setup.life);
    const next = await start({ enabled: false }, setup);
    next.tables.of('alarms').before = (call) => {
      if (call === 'write') throw new DatabaseError('refused', 'ORA-14400', 'no partition');
    };
    next.life.replay.start();
    await next.life.replay.request(gone);
    await within(next, 'it is refused', () => next.life.replay.requestState(gone)?.state === 'waiting');
    await expect(next.life.replay.request(gone, 'energy')).rejects.toThrow(
      `${gone}: rows of it may be in the table of the destination alarms already`,
    );
    next.tables.of('alarms').before = () => {};
    await next.life.replay.request(gone, 'alarms');
    next.life.replay.wake('alarms');
    await within(next, 'it is replayed', () => next.life.backups.files().length === 0);
    expect(next.tables.numbers()).toMatchObject({ alarms: [1, 2, 3] });
    await stop(next.life);
  });
});

describe('a file of rejected rows that a person has sent elsewhere', () => {
  it('is gone on with by the next run, which nobody asks, unless nothing is to be replayed by itself', async () => {
    const setup = await start({ isOracleUp: () => false });
    await setup.life.backups.lane('alarms').reject(numbered(1, 1), [{ index: 0, reason: REFUSED }]);
    const { name } = setup.life.backups.files()[0]!;
    await setup.life.replay.request(name, 'energy');
    await stop(setup.life);
    const manual = await start({ enabled: false }, setup);
    manual.life.replay.start();
    await manual.life.clock.advance(60_000);
    expect(manual.life.backups.facts(name)).toMatchObject({ state: 'sealed', destination: 'alarms', to: 'energy' });
    await stop(manual.life);
    const next = await start({}, setup);
    next.life.replay.start();
    await within(next, 'it is replayed', () => next.life.backups.files().length === 0);
    expect(next.tables.numbers()).toMatchObject({ default: [], energy: [1] });
    await stop(next.life);
  });
});

describe('a replay to where a person has sent it, cut at any operation of the disk or the database', () => {
  it.each([
    ['by a kill', (disk: LossyDisk) => disk.kill()],
    ['with the power', (disk: LossyDisk) => disk.crash()],
  ])(
    '%s goes on to the same place, and writes each row once',
    async (_how, cut) => {
      let isThrough = false;
      let operation = 1;
      let wentOnByItself = 0;
      for (; !isThrough; operation += 1) {
        const tables = new Tables();
        const world = { disk: new LossyDisk(seededRandom(operation)), oracle: tables.of('energy') };
        world.oracle.refusedTag = 'PLC01.D1';
        const before = await start({}, { disk: world.disk, tables });
        const file = await backUp(before, 'gone', 1);
        const isStamped = operation % 2 === 0;
        if (isStamped) await before.life.backups.lane('gone').stampSkip({ messageNo: 1, valueNo: 0 });
        await stop(before.life);
        isThrough = await live(world, operation, () => cut(world.disk), sends(tables, file));
        if (!isThrough)
          await live(
            world,
            0,
            () => {},
            sends(tables, file, () => (wentOnByItself += 1)),
          );
        const { life } = await start({}, { disk: world.disk, tables });
        expect([operation, tables.numbers()]).toEqual([operation, { energy: isStamped ? [3] : [1, 3], default: [] }]);
        expect([operation, life.backups.files()]).toMatchObject([
          operation,
          [{ kind: 'rejected', destination: 'energy', rows: 1 }],
        ]);
        await stop(life);
      }
      expect(operation).toBeGreaterThan(30);
      expect(wentOnByItself).toBeGreaterThan(10);
    },
    60_000,
  );

  /** A person asks, but not again where the bridge knows of it. */
  function sends(tables: Tables, file: string, onKnown = (): void => {}): Deeds {
    return {
      options: { destinations: DESTINATIONS, session: (stream, destination) => tables.session(stream, destination) },
      start: async ({ backups, replay }) => {
        replay.start();
        const facts = backups.facts(file);
        if (facts?.to === 'energy') onKnown();
        else if (facts !== undefined) await replay.request(file, 'energy');
      },
      isDone: ({ backups }) => backups.pending('backup').files === 0,
    };
  }
});
