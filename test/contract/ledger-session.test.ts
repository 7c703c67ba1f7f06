import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { LEDGER_MOVED } from '../../src/core/errors.ts';
import type { LedgerSession } from '../../src/core/ledger-session.ts';
import { ORIGIN, type Place } from '../../src/core/place.ts';
import type { RefusedRow } from '../../src/core/refused-row.ts';
import { databaseErrorOf } from '../support/oracle-connections.ts';
import { fakeDatabaseRig, fakeOracleRig } from './fake-rigs.ts';
import { messageOf, type Rig } from './rig.ts';
import { simulatedRig } from './simulated-rig.ts';
import { standinRig } from './standin-rig.ts';

/**
 * All that tests put in the place of Oracle. Each must keep what `LedgerSession` promises, or the tests above it prove
 * nothing.
 */
const DATABASES: readonly (readonly [name: string, open: () => Promise<Rig>])[] = [
  ["the fake of the writer's tests", fakeDatabaseRig],
  ["the fake of the replay's tests", fakeOracleRig],
  ["the simulation's database", simulatedRig],
  ['the stand-in as 19c, with the real driver', () => standinRig('19c')],
  ['the stand-in as 23ai, with the real driver', () => standinRig('23ai')],
];

const ROW_REASON = { code: expect.stringMatching(/^ORA-\d{5}$/) as string, message: expect.any(String) as string };

const place = (messageNo: number, valueNo: number): Place => ({ messageNo, valueNo });

async function none(): Promise<void> {
  throw new Error('no row should be refused');
}

async function keep(): Promise<void> {}

describe.each(DATABASES)('%s', (_name, open) => {
  let rig: Rig;
  let session: LedgerSession;

  beforeEach(async () => {
    rig = await open();
    session = rig.session('live/J');
  });

  afterEach(() => rig.end());

  describe('a stream', () => {
    it('begins at the origin, however often it is asked', async () => {
      expect([await session.readPlace(), await session.readPlace()]).toEqual([ORIGIN, ORIGIN]);
    });

    it('moves with its rows, and says where it is', async () => {
      await session.readPlace();
      expect(await session.write(messageOf(1, 10, 11), { from: ORIGIN, to: place(1, 1) }, none)).toMatchObject({
        reached: place(1, 1),
        alreadyThere: 0,
      });
      expect(await session.write(messageOf(2, 20), { from: place(1, 1), to: place(4, 0) }, none)).toMatchObject({
        reached: place(4, 0),
        alreadyThere: 0,
      });
      expect(await session.readPlace()).toEqual(place(4, 0));
      expect(await rig.numbers()).toEqual([10, 11, 20]);
    });

    it('is seen by another session of the same stream', async () => {
      await session.readPlace();
      await session.write(messageOf(1, 10), { from: ORIGIN, to: place(1, 0) }, none);
      expect(await rig.session('live/J').readPlace()).toEqual(place(1, 0));
    });

    it("does not see another: two go on side by side, one in the middle of the other's transaction", async () => {
      const other = rig.session('live/K');
      await session.readPlace();
      await other.readPlace();
      const values = messageOf(1, 10, 11);
      rig.refuse(values, 0);
      let seen: unknown;
      const { reached } = await session.write(values, { from: ORIGIN, to: place(1, 1) }, async () => {
        await other.write(messageOf(7, 70), { from: ORIGIN, to: place(7, 0) }, none);
        seen = [await rig.numbers(), await other.readPlace()];
      });
      expect(seen).toEqual([[70], place(7, 0)]);
      expect([reached, await session.readPlace(), await other.readPlace()]).toEqual([
        place(1, 1),
        place(1, 1),
        place(7, 0),
      ]);
      expect(await rig.numbers()).toEqual([11, 70]);
    });

    it('begins anew once it is forgotten, and its rows stay', async () => {
      await session.readPlace();
      await session.write(messageOf(1, 10), { from: ORIGIN, to: place(1, 0) }, none);
      await session.forget();
      expect(await session.readPlace()).toEqual(ORIGIN);
      expect(await rig.numbers()).toEqual([10]);
    });
  });

  describe('a write whose move does not begin where the ledger is', () => {
    it.each([
      ['the ledger is further', place(1, 0), 'live/J'],
      ['the ledger is not as far', place(3, 0), 'live/J'],
      ['the stream has no row in the ledger', ORIGIN, 'live/new'],
    ])('writes nothing: %s', async (_why, from, stream) => {
      await session.readPlace();
      await session.write(messageOf(2, 20), { from: ORIGIN, to: place(2, 0) }, none);
      const values = messageOf(3, 30, 31);
      rig.refuse(values, 0);
      const error = await databaseErrorOf(rig.session(stream).write(values, { from, to: place(4, 0) }, none));
      expect(error).toMatchObject({ code: LEDGER_MOVED, outcomeUnknown: false });
      expect(await rig.numbers()).toEqual([20]);
      expect(await session.readPlace()).toEqual(place(2, 0));
    });
  });

  describe('refused rows', () => {
    beforeEach(() => session.readPlace());

    it('are told by index and with a reason before anything is committed', async () => {
      const values = messageOf(1, 10, 11, 12, 13);
      rig.refuse(values, 1);
      rig.refuse(values, 2);
      const calls: RefusedRow[][] = [];
      let before: number[] = [];
      await session.write(values, { from: ORIGIN, to: place(1, 3) }, async (refused) => {
        calls.push([...refused].sort((a, b) => a.index - b.index));
        before = await rig.numbers();
      });
      expect(before).toEqual([]);
      expect(calls).toEqual([
        [
          { index: 1, reason: ROW_REASON },
          { index: 2, reason: ROW_REASON },
        ],
      ]);
      expect(await rig.numbers()).toEqual([10, 13]);
    });

    it('before the last one that is taken do not hold the place back', async () => {
      const values = messageOf(1, 10, 11);
      rig.refuse(values, 0);
      expect(await session.write(values, { from: ORIGIN, to: place(1, 1) }, keep)).toMatchObject({
        reached: place(1, 1),
        alreadyThere: 0,
      });
      expect(await session.readPlace()).toEqual(place(1, 1));
    });

    it('at the end leave the place at the last one that was taken, where the next write begins', async () => {
      const values = messageOf(1, 10, 11, 12, 13);
      rig.refuse(values, 2);
      rig.refuse(values, 3);
      const { reached } = await session.write(values, { from: ORIGIN, to: place(1, 3) }, keep);
      expect(reached).toEqual(place(1, 1));
      expect(await session.readPlace()).toEqual(place(1, 1));
      await session.write(messageOf(2, 20), { from: reached!, to: place(2, 0) }, none);
      expect(await rig.numbers()).toEqual([10, 11, 20]);
    });

    it('that are all leave everything as it was', async () => {
      const values = messageOf(1, 10, 11);
      rig.refuse(values, 0);
      rig.refuse(values, 1);
      let told = 0;
      const count = async (refused: readonly RefusedRow[]): Promise<void> => void (told += refused.length);
      expect(await session.write(values, { from: ORIGIN, to: place(1, 1) }, count)).toMatchObject({
        reached: ORIGIN,
        alreadyThere: 0,
      });
      expect(told).toBe(2);
      expect([await session.readPlace(), await rig.numbers()]).toEqual([ORIGIN, []]);
    });

    it('that cannot be kept let nothing be committed, and the reason comes out as it was', async () => {
      const values = messageOf(1, 10, 11);
      rig.refuse(values, 0);
      const noRoom = new Error('no space left');
      const refuse = async (): Promise<void> => {
        throw noRoom;
      };
      await expect(session.write(values, { from: ORIGIN, to: place(1, 1) }, refuse)).rejects.toBe(noRoom);
      expect([await session.readPlace(), await rig.numbers()]).toEqual([ORIGIN, []]);
      expect(await session.write(values, { from: ORIGIN, to: place(1, 1) }, keep)).toMatchObject({
        reached: place(1, 1),
        alreadyThere: 0,
      });
    });

    it('are never those of a row that spoils the batch: then nothing is written, and the rest can be', async () => {
      const values = messageOf(1, 10, 11, 12);
      rig.spoil(values, 1);
      const error = await databaseErrorOf(session.write(values, { from: ORIGIN, to: place(1, 2) }, none));
      expect(error.outcomeUnknown).toBe(false);
      expect([await session.readPlace(), await rig.numbers()]).toEqual([ORIGIN, []]);
      expect(await session.write(values.slice(0, 1), { from: ORIGIN, to: place(1, 0) }, none)).toMatchObject({
        reached: place(1, 0),
        alreadyThere: 0,
      });
      expect(await rig.numbers()).toEqual([10]);
    });
  });

  describe('a commit that is not answered', () => {
    const move = { from: ORIGIN, to: place(1, 1) };

    beforeEach(() => session.readPlace());

    it.each([
      ['committed', move.to, [10, 11]],
      ['rolled back', ORIGIN, []],
      ['commits late', move.to, [10, 11]],
      ['rolls back late', ORIGIN, []],
    ] as const)('has an unknown outcome, and the place tells it: %s', async (how, reached, numbers) => {
      rig.loseAnswer(how);
      expect((await databaseErrorOf(session.write(messageOf(1, 10, 11), move, none))).outcomeUnknown).toBe(true);
      expect(await session.readPlace()).toEqual(reached);
      expect(await rig.numbers()).toEqual(numbers);
    });

    it.each([
      ['committed', move.to, [11]],
      ['rolled back', ORIGIN, []],
    ] as const)('of a batch with refused rows is no different: %s', async (how, reached, numbers) => {
      const values = messageOf(1, 10, 11);
      rig.refuse(values, 0);
      const lose = async (): Promise<void> => rig.loseAnswer(how);
      expect((await databaseErrorOf(session.write(values, move, lose))).outcomeUnknown).toBe(true);
      expect(await session.readPlace()).toEqual(reached);
      expect(await rig.numbers()).toEqual(numbers);
    });

    it('can be tried again without a read: the move finds what the session that outlived its connection did', async () => {
      rig.loseAnswer('commits late');
      await databaseErrorOf(session.write(messageOf(1, 10, 11), move, none));
      expect((await databaseErrorOf(session.write(messageOf(1, 10, 11), move, none))).code).toBe(LEDGER_MOVED);
      expect(await rig.numbers()).toEqual([10, 11]);
    });

    it.each(['commits late', 'rolls back late'] as const)('moves nothing after the place was read: %s', async (how) => {
      rig.loseAnswer(how);
      await databaseErrorOf(session.write(messageOf(1, 10, 11), move, none));
      const from = (await session.readPlace())!;
      const before = await rig.numbers();
      expect(await session.write(messageOf(2, 20), { from, to: place(2, 0) }, none)).toMatchObject({
        reached: place(2, 0),
        alreadyThere: 0,
      });
      expect(await session.readPlace()).toEqual(place(2, 0));
      expect(await rig.numbers()).toEqual([...before, 20]);
    });
  });

  it('moves no place when a write has no move', async () => {
    await session.readPlace();
    expect(await session.write(messageOf(1, 10), undefined, none)).toMatchObject({ reached: undefined });
    expect([await session.readPlace(), await rig.numbers()]).toEqual([ORIGIN, [10]]);
  });

  it('has no place where no ledger is kept, and takes rows all the same', async () => {
    const plain = rig.withoutLedger();
    expect(await plain.readPlace()).toBeUndefined();
    expect(await plain.write(messageOf(1, 10), { from: place(9, 9), to: place(1, 0) }, none)).toMatchObject({
      reached: undefined,
    });
    await plain.forget();
    expect([await plain.readPlace(), await rig.numbers()]).toEqual([undefined, [10]]);
  });

  it('writes nothing when it is only asked', async () => {
    await session.readPlace();
    await session.probe();
    expect([await session.readPlace(), await rig.numbers()]).toEqual([ORIGIN, []]);
  });
});
