import {
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  record,
  type Arbitrary,
} from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Reserve } from '../../../src/core/reserve.ts';
import { FormatMemory, MemoryFullError } from '../../../src/payload/format-memory.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const DIR = '/journal/memory';
const JOURNAL = 'k3q9w2';

function memoryOn(disk: LossyDisk, maxBytes = 1_000_000): { memory: FormatMemory; log: RecordingLogger } {
  const fileSystem = disk.mount();
  const log = new RecordingLogger();
  const reserve = new Reserve('/journal', 0, fileSystem);
  return { memory: new FormatMemory({ dir: DIR, maxBytes, reserve, fileSystem, log }), log };
}

async function started(disk: LossyDisk, settledNo = 0, journal = JOURNAL): Promise<FormatMemory> {
  const { memory } = memoryOn(disk);
  await memory.start(journal, settledNo);
  return memory;
}

async function checkpoint(memory: FormatMemory, settledNo: number): Promise<void> {
  await memory.save(settledNo);
  await memory.saved(settledNo);
}

describe('what is remembered of earlier messages', () => {
  it('is there at the next start when a checkpoint says that its message is settled', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const memory = await started(disk);
    memory.note('node', 5, { alias: 1 });
    await checkpoint(memory, 7);
    disk.crash();
    expect((await started(disk, 7)).get('node')).toEqual({ alias: 1 });
  });

  it('is that of the checkpoint found, not of a later message that comes again', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const memory = await started(disk);
    memory.note('node', 5, 'first');
    await checkpoint(memory, 7);
    memory.note('node', 8, 'second');
    await memory.save(9); // and the checkpoint of 9 is not written any more
    disk.crash();
    expect((await started(disk, 7)).get('node')).toBe('first');
    expect((await started(disk, 9)).get('node')).toBe('second');
  });

  it('is not written again while nothing changes', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const memory = await started(disk);
    memory.note('node', 5, ['birth']);
    await checkpoint(memory, 7);
    let operations = 0;
    disk.before = () => void (operations += 1);
    memory.note('node', 8, ['birth']);
    await checkpoint(memory, 9);
    expect(operations).toBe(0);
  });

  it('can be forgotten, for good once that is settled', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const memory = await started(disk);
    memory.note('node', 5, 'birth');
    await checkpoint(memory, 7);
    memory.note('node', 8, undefined);
    expect(memory.get('node')).toBeUndefined();
    await memory.save(9);
    expect((await started(disk, 7)).get('node')).toBe('birth');
    await memory.saved(9);
    expect(await disk.mount().list(DIR)).toEqual([]);
  });

  it('of another journal, or damaged, is left out and said so', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const memory = await started(disk);
    memory.note('node', 5, 'birth');
    await checkpoint(memory, 7);
    const file = await disk.mount().create(`${DIR}/damaged.json`);
    await file.append(Buffer.from('{"journal":"'));
    await file.close();
    const next = memoryOn(disk);
    await next.memory.start('another', 7);
    expect(next.memory.get('node')).toBeUndefined();
    expect(next.log.entries.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });

  it('has a limit; what does not fit changes nothing', async () => {
    const { memory } = memoryOn(new LossyDisk(seededRandom(1)), 1020);
    await memory.start(JOURNAL, 0);
    memory.note('a', 1, 'x'.repeat(10));
    expect(() => memory.note('b', 2, 'x'.repeat(10))).toThrow(MemoryFullError);
    expect(() => memory.note('a', 3, 'y'.repeat(20))).toThrow('no room to remember a');
    expect([memory.get('a'), memory.get('b')]).toEqual(['x'.repeat(10), undefined]);
    await checkpoint(memory, 3);
    memory.note('a', 4, undefined);
    await checkpoint(memory, 5);
    memory.note('b', 6, 'x'.repeat(18));
  });

  it('has a limit for what is small, too: each key takes memory, and a file', async () => {
    const { memory } = memoryOn(new LossyDisk(seededRandom(1)), 10_000);
    await memory.start(JOURNAL, 0);
    const noteMany = (): void => {
      for (let i = 1; i <= 20; i += 1) memory.note(`node ${i}`, i, i);
    };
    expect(noteMany).toThrow(MemoryFullError);
  });

  it('keeps the checkpoint from being written when the disk refuses, and is tried again', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const memory = await started(disk);
    memory.note('node', 5, 'birth');
    disk.fail('sync', 'EIO');
    await expect(memory.save(7)).rejects.toThrow('EIO');
    await checkpoint(memory, 7);
    disk.crash();
    expect((await started(disk, 7)).get('node')).toBe('birth');
  });
});

interface Step {
  readonly kind: 'message' | 'checkpoint' | 'save';
  readonly key: number;
  readonly content: number;
  /** How far the checkpoint is behind the last message. */
  readonly behind: number;
  /** The machine loses its power at this operation of the disk; 0: not at all. */
  readonly crashAt: number;
}

const STEP: Arbitrary<Step> = record({
  kind: constantFrom('message', 'message', 'message', 'checkpoint', 'save'),
  key: nat(2),
  content: nat(3),
  behind: nat(6),
  crashAt: oneof({ weight: 3, arbitrary: constant(0) }, { weight: 1, arbitrary: integer({ min: 1, max: 8 }) }),
});

/** What the journal holds: each message notes something, 3 stands for nothing. */
interface Noting {
  readonly key: string;
  readonly content: string | undefined;
}

/** What is known in front of a message, had there never been a crash. */
function knownBefore(messages: readonly Noting[], index: number): Record<string, string | undefined> {
  const known: Record<string, string | undefined> = { k0: undefined, k1: undefined, k2: undefined };
  for (const { key, content } of messages.slice(0, index)) known[key] = content;
  return known;
}

describe('after any crash', () => {
  it('each message finds what it found before', async () => {
    await assert(
      asyncProperty(array(STEP, { minLength: 5, maxLength: 60 }), nat(), async (steps, seed) => {
        const disk = new LossyDisk(seededRandom(seed));
        const messages: Noting[] = [];
        let durableNo = 0;
        let memory = await started(disk);
        let read = 0;
        const readAll = (): void => {
          for (; read < messages.length; read += 1) {
            const expected = knownBefore(messages, read);
            for (const key of Object.keys(expected)) expect(memory.get(key)).toBe(expected[key]);
            const { key, content } = messages[read]!;
            memory.note(key, read + 1, content);
          }
        };
        for (const { kind, key, content, behind, crashAt } of steps) {
          let operations = 0;
          const crashed = new Promise<'crashed'>((resolve) => {
            disk.before = () => {
              operations += 1;
              if (operations !== crashAt) return;
              disk.crash();
              resolve('crashed');
            };
          });
          if (kind === 'message') {
            messages.push({ key: `k${key}`, content: content === 3 ? undefined : String(content) });
            readAll();
            continue;
          }
          const settledNo = Math.max(durableNo, messages.length - behind);
          const work = async (): Promise<void> => {
            await memory.save(settledNo);
            if (kind === 'save') return;
            durableNo = settledNo;
            await memory.saved(settledNo);
          };
          if ((await Promise.race([work(), crashed])) !== 'crashed' && crashAt === 0) continue;
          disk.before = () => {};
          disk.crash();
          memory = await started(disk, durableNo);
          read = durableNo;
          readAll();
        }
      }),
      { numRuns: 300 },
    );
  });
});
