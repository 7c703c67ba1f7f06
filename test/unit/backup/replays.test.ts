import { describe, expect, it } from 'vitest';

import type { MessageDecoder } from '../../../src/backup/replay/decoded-messages.ts';
import { createValueCounters } from '../../../src/core/counters.ts';
import { DatabaseError } from '../../../src/core/errors.ts';
import { DIR, stop } from './cut-replay.ts';
import { MALFORMED, message, REFUSED } from './running-backups.ts';
import { numbered } from './running-replay.ts';
import { backUp, DESTINATIONS, start, within, type Setup } from './running-replays.ts';

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

  it('is deleted when no message of it can come from the journal again, whomever its rows are for', async () => {
    const asked: unknown[] = [];
    const lastForAlarms: MessageDecoder = {
      decode: (each, into) => {
        into.sendTo(each.number === 1 ? undefined : 'alarms');
        into.push({ plcCode: 'P', address: 'D', name: 'P.D' }, each.number, null, each.receivedAtMs, 'GOOD');
        into.stamp(each.number, each.receivedAtMs);
        return undefined;
      },
    };
    const setup = await start({
      decoder: () => lastForAlarms,
      beforeDelete: (_sources, messages) => Promise.resolve(void asked.push(...messages)),
    });
    for (const number of [1, 2]) await setup.life.backups.addUndecodable(message(number), MALFORMED);
    setup.life.replay.start();
    await setup.life.replay.request(setup.life.backups.files()[0]!.name);
    await within(setup, 'it is done', () => setup.life.backups.files().length === 0);
    expect(asked).toEqual([{ journal: 'journal00001', messageNo: 2 }]);
    await stop(setup.life);
  });

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
