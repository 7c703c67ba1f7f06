import { describe, expect, it } from 'vitest';

import type { MessageDecoder } from '../../../src/backup/replay/decoded-messages.ts';
import type { Message } from '../../../src/core/message.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { until } from '../../support/until.ts';
import { DIR, live, stop, type Deeds, type World } from './cut-replay.ts';
import { FakeOracle } from './fake-oracle.ts';
import { JOURNAL } from './running-backups.ts';
import { createLife } from './running-replay.ts';

const FILE = 'undecodable_20251102_143000.csv';
const BAD = { code: 'MADE_UP', message: 'not of this format' };
const RECEIVED_AT_MS = Date.UTC(2025, 10, 2, 14, 0, 0);

/** Message `n` is received `n` seconds after the hour. */
function message(number: number, text: string): Message {
  return { number, topic: `plc/${number}`, payload: Buffer.from(text), receivedAtMs: RECEIVED_AT_MS + number * 1000 };
}

/** `2` is two values, 2 and 2.5; `inf` is one that must not be written; `skip` is skipped; all else can't be read. */
const mended: MessageDecoder = {
  decode: ({ number, payload, receivedAtMs }, into) => {
    const text = payload.toString();
    if (text === 'skip') return 'skipped';
    if (text === 'bad') return BAD;
    const tag = { plcCode: 'P', address: `D${number}`, name: `P.D${number}` };
    if (text === 'inf') into.push(tag, Number.NaN, '1e999', receivedAtMs, 'GOOD', { code: 'NOT_FINITE', message: 'x' });
    else for (const value of [Number(text), Number(text) + 0.5]) into.push(tag, value, null, receivedAtMs, 'GOOD');
    into.stamp(number, receivedAtMs);
    return undefined;
  },
};

/** One undecodable file with these payloads, numbered from 1. */
async function prepare(random: () => number, payloads: readonly string[]): Promise<World> {
  const disk = new LossyDisk(random);
  const oracle = new FakeOracle();
  const { backups } = createLife(DIR, disk.mount(), oracle);
  await backups.start();
  for (const [i, text] of payloads.entries()) await backups.addUndecodable(message(i + 1, text), BAD);
  await backups.stop();
  return { disk, oracle };
}

/** One process that is asked for all undecodable files it finds, but for those that nothing can be made of. */
function replaysMessages(decoder: MessageDecoder = mended): Deeds {
  const asked = new Set<string>();
  return {
    options: { enabled: false, decoder: () => decoder },
    start: async ({ backups, replay }) => {
      replay.start();
      for (const { kind, name } of backups.files()) {
        if (kind !== 'undecodable') continue;
        await replay.request(name);
        asked.add(name);
      }
    },
    isDone: ({ replay }) =>
      [...asked].every((file) => ['done', 'failed'].includes(replay.requestState(file)?.state ?? '')),
  };
}

interface Found {
  readonly undecodable: readonly number[];
  readonly rejected: readonly string[];
  readonly names: readonly string[];
}

async function filesOf({ disk, oracle }: World): Promise<Found> {
  disk.before = () => {};
  const { backups } = createLife(DIR, disk.mount(), oracle);
  await backups.start();
  const undecodable: number[] = [];
  const rejected: string[] = [];
  for (const { kind, name, problem } of backups.files()) {
    expect(problem).toBeUndefined();
    const text = (await backups.read(name)).toString();
    if (kind === 'undecodable') {
      const numbers = [...text.matchAll(new RegExp(`Z,(\\d+),\\d+,${JOURNAL}\r\n`, 'g'))];
      undecodable.push(...numbers.map((match) => Number(match[1])));
    } else {
      const places = [...text.matchAll(new RegExp(`,${JOURNAL}/undecodable,(\\d+),(\\d+),`, 'g'))];
      rejected.push(...places.map((match) => `${match[1]}/${match[2]}`));
    }
  }
  const names = await disk.mount().list(DIR);
  await backups.stop();
  return { undecodable, rejected, names };
}

const PAYLOADS = ['10', 'bad', '20', 'inf', 'skip', '30', 'bad'];

describe('a replay of undecodable messages', () => {
  it('writes the rows of what can be decoded now, as of their receipt and oldest first, and keeps the rest', async () => {
    const world = await prepare(seededRandom(1), PAYLOADS);
    await live(world, 0, () => {}, replaysMessages());
    expect(world.oracle.numbers()).toEqual([10, 10.5, 20, 20.5, 30, 30.5]);
    expect(world.oracle.rows.map(({ timeMs }) => timeMs)).toEqual(
      [1, 1, 3, 3, 6, 6].map((n) => RECEIVED_AT_MS + n * 1000),
    );
    const { names, rejected, undecodable } = await filesOf(world);
    expect(undecodable).toEqual([2, 7]);
    expect(rejected).toEqual(['4/0']);
    expect(names.filter((name) => !name.startsWith('rejected_'))).toEqual([FILE.replace('.csv', '_2.csv')]);
  });

  it('counts the values as received and backed up once they are rows, and as replayed once they are written', async () => {
    const { disk, oracle } = await prepare(seededRandom(1), PAYLOADS);
    const life = createLife(DIR, disk.mount(), oracle, { enabled: false, decoder: () => mended });
    await life.backups.start();
    life.replay.start();
    await life.replay.request(FILE);
    await until('the file is replayed', async () => {
      await life.clock.advance(2000);
      return life.replay.requestState(FILE)?.state === 'done';
    });
    expect(life.counters).toMatchObject({ valuesReceived: 7, valuesBackedUp: 7, valuesReplayed: 6 });
    expect(life.backups.pending('undecodable')).toEqual({ files: 1, rows: 2 });
    await stop(life);
  });

  it('changes nothing where no message can be decoded, says why, and may be asked for again', async () => {
    const world = await prepare(seededRandom(1), ['bad', 'bad']);
    const before = await filesOf(world);
    let decoder: MessageDecoder = { decode: () => BAD };
    const life = createLife(DIR, world.disk.mount(), world.oracle, { enabled: false, decoder: () => decoder });
    await life.backups.start();
    life.replay.start();
    await life.replay.request(FILE);
    await until('it is refused', async () => {
      await life.clock.advance(2000);
      return life.replay.requestState(FILE)?.state === 'failed';
    });
    expect(life.replay.requestState(FILE)?.problem).toBe(
      'none of its 2 messages can be decoded as the configuration is: MADE_UP: not of this format',
    );
    expect(life.backups.file(FILE)).toMatchObject({ problem: undefined, replayedRows: undefined });
    decoder = { decode: (each, into) => mended.decode({ ...each, payload: Buffer.from('1') }, into) };
    await life.replay.request(FILE);
    await until('the file is replayed', async () => {
      await life.clock.advance(2000);
      return life.replay.requestState(FILE)?.state === 'done';
    });
    await stop(life);
    expect(before.names).toEqual([FILE]);
    expect(world.oracle.numbers()).toEqual([1, 1.5, 1, 1.5]);
    expect((await filesOf(world)).names).toEqual([]);
  });

  it('takes files in the order of their age, whatever the order of the requests', async () => {
    const world = await prepare(seededRandom(1), ['1']);
    const life = createLife(DIR, world.disk.mount(), world.oracle, { enabled: false, decoder: () => mended });
    await life.backups.start();
    await life.clock.advance(1000);
    await life.backups.addUndecodable(message(2, '2'), BAD);
    const [older, younger] = life.backups.files().map(({ name }) => name);
    await life.replay.request(younger!);
    await life.replay.request(older!);
    life.replay.start();
    await until('both are replayed', async () => {
      await life.clock.advance(2000);
      return life.backups.files().length === 0;
    });
    await stop(life);
    expect(world.oracle.numbers()).toEqual([1, 1.5, 2, 2.5]);
  });
});

describe('a replay of undecodable messages that is cut at any operation of the disk or the database', () => {
  /** After the crash the configuration is another one, that reads everything: what was left stays left. */
  const readsAll: MessageDecoder = {
    decode: (each, into) =>
      mended.decode(each.payload.toString() === 'bad' ? { ...each, payload: Buffer.from('99') } : each, into),
  };

  it.each([
    ['by a kill', (disk: LossyDisk) => disk.kill()],
    ['with the power', (disk: LossyDisk) => disk.crash()],
  ])(
    '%s writes each row once, loses no message and leaves nothing behind',
    async (_how, cut) => {
      let isThrough = false;
      let operation = 1;
      for (; !isThrough; operation += 1) {
        const world = await prepare(seededRandom(operation), PAYLOADS);
        isThrough = await live(world, operation, () => cut(world.disk), replaysMessages());
        if (!isThrough) await live(world, 1 + ((operation * 7) % 60), () => cut(world.disk), replaysMessages());
        // Two rounds: what was left in the first becomes rows in the second.
        await live(world, 0, () => {}, replaysMessages(readsAll));
        await live(world, 0, () => {}, replaysMessages(readsAll));
        const written = world.oracle.numbers().sort((a, b) => a - b);
        expect([operation, written]).toEqual([operation, [10, 10.5, 20, 20.5, 30, 30.5, 99, 99, 99.5, 99.5]]);
        const { names, rejected, undecodable } = await filesOf(world);
        expect([operation, undecodable, rejected]).toEqual([operation, [], ['4/0']]);
        expect(names.filter((name) => !/^rejected_.*\.csv$/.test(name))).toEqual([]);
      }
      expect(operation).toBeGreaterThan(60);
    },
    60_000,
  );
});
