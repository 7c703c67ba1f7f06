import { describe, expect, it } from 'vitest';

import type { MessageDecoder } from '../../../src/backup/replay/decoded-messages.ts';
import type { ReplaysOptions } from '../../../src/backup/replay/replays.ts';
import { createValueCounters } from '../../../src/core/counters.ts';
import { DatabaseError } from '../../../src/core/errors.ts';
import type { LedgerSession } from '../../../src/core/ledger-session.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { until } from '../../support/until.ts';
import { DIR, live, stop, type Deeds } from './cut-replay.ts';
import { FakeOracle } from './fake-oracle.ts';
import { DOWN, MALFORMED, message, REFUSED } from './running-backups.ts';
import { createLife, numbered, type Life } from './running-replay.ts';

const DESTINATIONS = ['default', 'alarms', 'energy'];

/** A table each; the ledger of each stream is beside its rows, as a stream has one destination. */
class Tables {
  readonly #tables = new Map<string, FakeOracle>();
  /** Names of streams, in the order of their first use, by destination. */
  readonly streams: string[] = [];

  of(destination: string): FakeOracle {
    let table = this.#tables.get(destination);
    if (table === undefined) {
      table = new FakeOracle();
      this.#tables.set(destination, table);
    }
    return table;
  }

  session(stream: string, destination: string): LedgerSession {
    const name = `${destination}: ${stream}`;
    if (!this.streams.includes(name)) this.streams.push(name);
    return this.of(destination).session(stream);
  }

  numbers(): Record<string, number[]> {
    return Object.fromEntries([...this.#tables].map(([name, table]) => [name, table.numbers()]));
  }
}

interface Setup {
  readonly life: Life;
  readonly tables: Tables;
  readonly disk: LossyDisk;
}

async function start(options: Partial<ReplaysOptions> = {}, before?: Pick<Setup, 'disk' | 'tables'>): Promise<Setup> {
  const { disk, tables } = before ?? { disk: new LossyDisk(seededRandom(1)), tables: new Tables() };
  const life = createLife(DIR, disk.mount(), tables.of('default'), {
    destinations: DESTINATIONS,
    session: (stream, destination) => tables.session(stream, destination),
    ...options,
  });
  await life.backups.start();
  return { life, tables, disk };
}

function within({ life }: Setup, what: string, condition: () => boolean): Promise<true> {
  return until(what, async () => {
    await life.clock.advance(1000);
    return condition();
  });
}

/** A backup of three rows for the destination; gives its name. */
async function backUp({ life: { backups } }: Setup, destination: string, from: number): Promise<string> {
  const known = new Set(backups.files().map(({ name }) => name));
  await backups.lane(destination).backUp(numbered(from, 3), DOWN);
  await backups.lane(destination).endOutage();
  return backups.files().find(({ name }) => !known.has(name))!.name;
}

describe('the replay of several destinations', () => {
  it('writes the rows of each to its own table, through streams that bear its name', async () => {
    const setup = await start();
    for (const [i, destination] of DESTINATIONS.entries()) await backUp(setup, destination, 1 + i * 10);
    setup.life.replay.start();
    await within(setup, 'all is replayed', () => setup.life.backups.files().length === 0);
    expect(setup.tables.numbers()).toEqual({ default: [1, 2, 3], alarms: [11, 12, 13], energy: [21, 22, 23] });
    expect(setup.tables.streams.sort()).toEqual([
      'alarms: replay/backup_20251102_143000_2.csv/journal00001/11/alarms',
      'default: replay/backup_20251102_143000.csv/journal00001/1',
      'energy: replay/backup_20251102_143000_3.csv/journal00001/21/energy',
    ]);
    await stop(setup.life);
  });

  it('goes on for the others while one hangs, and while one is down', async () => {
    const setup = await start({ isOracleUp: (destination) => destination !== 'energy' });
    let release = (): void => {};
    setup.tables.of('alarms').before = () => new Promise((resolve) => (release = resolve));
    for (const destination of ['alarms', 'energy', 'default']) await backUp(setup, destination, 1);
    setup.life.replay.start();
    await within(setup, 'the default is replayed', () => setup.tables.of('default').numbers().length === 3);
    await setup.life.clock.advance(60_000);
    expect(setup.tables.of('energy').writes).toBe(0);
    expect(setup.life.replay.allProgress()).toHaveLength(1);
    setup.tables.of('alarms').before = () => {};
    release();
    await within(setup, 'the one that hung', () => setup.tables.of('alarms').numbers().length === 3);
    await stop(setup.life);
  });

  it('sets refused rows apart for the destination that refused them', async () => {
    const setup = await start();
    setup.tables.of('alarms').refusedTag = 'PLC01.D1';
    await backUp(setup, 'alarms', 1);
    setup.life.replay.start();
    await within(setup, 'it is replayed', () => setup.life.backups.pending('backup').files === 0);
    expect(setup.life.backups.files()).toMatchObject([{ kind: 'rejected', destination: 'alarms', rows: 1 }]);
    await stop(setup.life);
  });

  it('does not take the rows of one table for proof that another is at work', async () => {
    const written = { alarms: 0, default: 0 };
    const setup = await start({
      counters: (destination) => ({
        ...createValueCounters(),
        get valuesWritten() {
          return destination === 'default' ? (written.default += 1) : written.alarms;
        },
        set valuesWritten(_count: number) {},
      }),
    });
    setup.tables.of('alarms').before = (call) => {
      if (call === 'write') throw new DatabaseError('refused', 'ORA-14400', 'no partition');
    };
    await backUp(setup, 'alarms', 1);
    setup.life.replay.start();
    for (let minute = 0; minute < 60; minute += 1) await setup.life.clock.advance(60_000);
    expect(setup.life.backups.files()).toMatchObject([{ kind: 'backup', rows: 3 }]);
    await stop(setup.life);
  });

  it('of rejected rows waits for unfinished replays of the same destination alone', async () => {
    const setup = await start({ enabled: false });
    const { backups, replay } = setup.life;
    const begun = await backUp(setup, 'alarms', 1);
    const one = (index: number): { index: number; reason: typeof REFUSED }[] => [{ index, reason: REFUSED }];
    await backups.lane('alarms').reject(numbered(11, 1), one(0));
    await backups.lane('default').reject(numbered(21, 1), one(0));
    setup.tables.of('alarms').before = (call) => {
      if (call === 'write') throw new DatabaseError('refused', 'ORA-14400', 'no partition');
    };
    replay.start();
    await replay.request(begun);
    await within(setup, 'it is refused', () => replay.requestState(begun)?.state === 'waiting');
    const [ofAlarms, ofDefault] = ['alarms', 'default'].map(
      (destination) =>
        backups.files().find((file) => file.kind === 'rejected' && file.destination === destination)!.name,
    );
    await replay.request(ofAlarms!);
    await replay.request(ofDefault!);
    await within(setup, 'the default’s is done', () => replay.requestState(ofDefault!)?.state === 'done');
    await within(setup, 'the other waits', () => replay.requestState(ofAlarms!)?.state === 'waiting');
    expect(replay.requestState(ofAlarms!)?.problem).toBe(`it waits until the replay of ${begun} is through`);
    setup.tables.of('alarms').before = () => {};
    replay.wake('alarms');
    await within(setup, 'both are done', () => replay.requestState(ofAlarms!)?.state === 'done');
    expect(setup.tables.of('alarms').numbers()).toEqual([1, 2, 3, 11]);
    await stop(setup.life);
  });
});

describe('a file of messages for several destinations', () => {
  const forTwo: MessageDecoder = {
    decode: ({ number, receivedAtMs }, into) => {
      const tag = { plcCode: 'P', address: 'D', name: 'P.D' };
      into.push(tag, number, null, receivedAtMs, 'GOOD');
      into.sendTo('alarms');
      into.push(tag, number + 0.5, null, receivedAtMs, 'GOOD');
      into.stamp(number, receivedAtMs);
      return undefined;
    },
  };

  it('becomes rows that go each to its own, and are counted there', async () => {
    const counted = Object.fromEntries(DESTINATIONS.map((name) => [name, createValueCounters()]));
    const setup = await start({ decoder: () => forTwo, counters: (destination) => counted[destination]! });
    const { backups, replay } = setup.life;
    setup.tables.of('alarms').refusedTag = 'P.D';
    for (const number of [1, 2]) await backups.addUndecodable(message(number), MALFORMED);
    const { name } = backups.files()[0]!;
    replay.start();
    await replay.request(name);
    await within(setup, 'it is done', () => replay.requestState(name)?.state === 'done');
    expect(setup.tables.of('default').numbers()).toEqual([1, 2]);
    expect(backups.files()).toMatchObject([{ kind: 'rejected', destination: 'alarms', rows: 2 }]);
    expect(counted['default']).toMatchObject({ valuesReceived: 2, valuesBackedUp: 2, valuesReplayed: 2 });
    expect(counted['alarms']).toMatchObject({ valuesReceived: 2, valuesBackedUp: 2, valuesReplayed: 0 });
    await stop(setup.life);
  });

  it('holds up none of the default’s files while another destination of its rows is down', async () => {
    let isUp = false;
    const setup = await start({
      decoder: () => forTwo,
      isOracleUp: (destination) => destination === 'default' || isUp,
    });
    const { backups, replay } = setup.life;
    await backups.addUndecodable(message(1), MALFORMED);
    const { name } = backups.files()[0]!;
    replay.start();
    await replay.request(name);
    await within(setup, 'it waits', () => replay.requestState(name)?.state === 'waiting');
    expect(replay.requestState(name)?.problem).toBe('it waits until alarms takes rows');
    await backUp(setup, 'default', 11);
    await within(setup, 'the default’s own', () => setup.tables.of('default').numbers().includes(13));
    isUp = true;
    replay.wake('alarms');
    await within(setup, 'it is done', () => replay.requestState(name)?.state === 'done');
    expect(setup.tables.numbers()).toMatchObject({ default: [1, 11, 12, 13], alarms: [1.5] });
    await stop(setup.life);
  });
});

describe('a file that a person made, whose rows name several destinations', () => {
  const line = (number: number, destination: string, place = ''): string =>
    `A,${number},2025-11-02T14:30:00Z,GOOD,${destination},${place === '' ? ',,' : `journal00001,${place},0`}\n`;
  const HEADER = 'tag_name,tag_value,timestamp,quality,destination,journal,message_no,value_no\n';

  async function own(setup: Setup, ...lines: readonly string[]): Promise<void> {
    const file = await setup.disk.mount().create(`${DIR}/own.csv`);
    await file.append(Buffer.from(HEADER + lines.join('')));
    await file.close();
  }

  it('gives each its rows, those with a place in their order', async () => {
    const setup = await start();
    await own(setup, line(1, ''), line(2, 'alarms', '9'), line(3, 'alarms'), line(4, 'alarms', '8'), line(5, '', '8'));
    setup.life.replay.start();
    await setup.life.replay.request('own.csv');
    await within(setup, 'it is replayed', () => setup.life.backups.files().length === 0);
    expect(setup.tables.numbers()).toEqual({ default: [1, 5], alarms: [4, 2, 3] });
    expect(new Set(setup.tables.streams.map((each) => each.split(': ')[1])).size).toBe(4);
    await stop(setup.life);
  });

  it('is refused as a whole while one is not configured, and may be sent to one place', async () => {
    const setup = await start();
    const { backups, replay } = setup.life;
    await own(setup, line(1, ''), line(2, 'gone'), line(3, 'alarms', '8'));
    replay.start();
    await replay.request('own.csv');
    await within(setup, 'it is refused', () => replay.requestState('own.csv')?.state === 'failed');
    expect(replay.requestState('own.csv')?.problem).toBe(
      'its destination gone is not in oracle.destinations: put it back, or backups replay FILE --to NAME',
    );
    expect(setup.tables.numbers()).toEqual({ default: [] });
    await replay.request('own.csv', 'energy');
    await within(setup, 'it is replayed', () => backups.files().length === 0);
    expect(setup.tables.numbers()).toEqual({ default: [], energy: [1, 2, 3] });
    await stop(setup.life);
  });
});

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
        expect([operation, tables.numbers()]).toEqual([operation, { energy: [1, 3], default: [] }]);
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
