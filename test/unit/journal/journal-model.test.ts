/* oxlint-disable vitest/no-standalone-expect -- the model checks what it sees */
import { array, assert, asyncProperty, constantFrom, integer, nat, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Message } from '../../../src/core/message.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { delivery, SampleJournal } from './sample-journal.ts';

const COMMANDS = [
  'append',
  'append',
  'append',
  'wait',
  'take',
  'settle',
  'checkpoint',
  'fault',
  'fill-up',
  'heal',
  'crash',
  'crash-within',
  'kill',
] as const;
const FAULTS = ['append', 'sync', 'create', 'truncate', 'syncDirectory', 'remove', 'rename'] as const;
type Command = readonly [(typeof COMMANDS)[number], number];

const OPTIONS = { maxBytes: 6000, segmentBytes: 700 };
const commands = array(tuple(constantFrom(...COMMANDS), nat(1000)), { minLength: 5, maxLength: 60 });

/** What the journal has promised, beside the journal. */
class Model {
  readonly #sample: SampleJournal;
  #journal: Journal | undefined;
  /** Payload by the order of appending. */
  readonly #appended: string[] = [];
  readonly #acknowledged = new Set<number>();
  /** Settled in this run. */
  readonly #settled = new Set<number>();
  /** Settled in an earlier run without a checkpoint that is known to be durable: may come again, or not. */
  readonly #perhapsSettled = new Set<number>();
  /** Settled with a checkpoint that was durable. */
  readonly #settledForGood = new Set<number>();
  readonly #numbers = new Map<number, number>();
  readonly #indexes = new Map<number, number>();
  #taken: Message[] = [];
  #lastTaken = -1;
  #isDown = true;

  constructor(seed: number) {
    this.#sample = new SampleJournal(seed);
  }

  async run([command, n]: Command): Promise<void> {
    const { disk, clock } = this.#sample;
    if (this.#isDown) await this.#open();
    const journal = this.#journal!;
    if (command === 'append') this.#append(journal, 1 + (n % 5), n);
    if (command === 'wait') await clock.advance(n * 3);
    if (command === 'take') await this.#take(journal);
    if (command === 'settle') this.#settle(journal, n);
    if (command === 'checkpoint') await this.#checkpoint(journal, n);
    if (command === 'fault') disk.fail(FAULTS[n % FAULTS.length]!, n % 2 === 0 ? 'EIO' : 'ENOSPC', 1 + (n % 3));
    if (command === 'fill-up') disk.capacityBytes = disk.usedBytes + n;
    if (command === 'heal') disk.heal();
    if (command === 'crash') this.#die(() => disk.crash());
    if (command === 'kill') this.#die(() => disk.kill());
    if (command === 'crash-within') await this.#crashWithin(journal, n);
    await clock.advance(0);
  }

  /** Once more from disk, and on a disk without faults all of it. */
  async finish(): Promise<void> {
    if (!this.#isDown) this.#die(() => this.#sample.disk.crash());
    await this.#open();
    const journal = this.#journal!;
    await this.#takeAll(journal);
    for (const [i, message] of this.#taken.entries()) {
      if (i > 0) expect(message.number).toBeGreaterThan(this.#taken[i - 1]!.number);
    }
    const indexes = new Set(this.#taken.map(({ number }) => this.#indexes.get(number)!));
    for (const index of this.#acknowledged) {
      if (this.#isOpen(index)) expect(indexes, `message ${index} is lost`).toContain(index);
    }
    for (const index of this.#settledForGood) expect(indexes, `message ${index} comes again`).not.toContain(index);
    for (const message of this.#taken) journal.done(message, 0);
    await journal.saveCheckpoint();
    this.#taken = [];
    this.#append(journal, 3, 50);
    await this.#takeAll(journal, true);
    for (const message of this.#taken) journal.done(message, 0);
    await journal.saveCheckpoint();
    expect(journal.status).toMatchObject({ messages: 0, state: 'ok' });
    expect(this.#acknowledged).toContain(this.#appended.length - 1);
    await journal.close();
  }

  async #open(): Promise<void> {
    this.#journal = await this.#sample.open(OPTIONS);
    this.#taken = [];
    this.#lastTaken = -1;
    this.#isDown = false;
  }

  #append(journal: Journal, count: number, n: number): void {
    for (let i = 0; i < count; i += 1) {
      const index = this.#appended.length;
      const text = `${index} ${'x'.repeat((n * (i + 1)) % 300)}`;
      this.#appended.push(text);
      journal.append({ ...delivery(text), acknowledge: () => void this.#acknowledged.add(index) });
    }
  }

  async #take(journal: Journal): Promise<void> {
    const abort = new AbortController();
    const taking = journal.take(abort.signal).then((messages) => {
      for (const message of messages) this.#check(message);
      return messages;
    });
    await this.#sample.clock.advance(0);
    abort.abort();
    await taking;
  }

  async #takeAll(journal: Journal, isIdle = false): Promise<void> {
    if (isIdle) {
      const idle = journal.whenIdle();
      await this.#sample.clock.advance(3000);
      await idle;
    }
    for (let round = 0; journal.status.messages > this.#taken.length; round += 1) {
      expect(round, 'take gives nothing').toBeLessThan(100);
      await this.#take(journal);
    }
  }

  #check(message: Message): void {
    const text = String(message.payload);
    const index = Number(text.split(' ')[0]);
    expect(text, 'a stranger, or other bytes').toBe(this.#appended[index]);
    expect(index, 'out of order').toBeGreaterThan(this.#lastTaken);
    expect(this.#numbers.get(index) ?? message.number, 'a second number').toBe(message.number);
    expect(this.#indexes.get(message.number) ?? index, 'a number twice').toBe(index);
    for (let skipped = this.#lastTaken + 1; skipped < index; skipped += 1) {
      expect(this.#isOpen(skipped), `message ${skipped} is missing`).toBe(false);
    }
    this.#numbers.set(index, message.number);
    this.#indexes.set(message.number, index);
    this.#perhapsSettled.delete(index);
    this.#lastTaken = index;
    this.#taken.push(message);
  }

  #isOpen(index: number): boolean {
    const isSettled = this.#settled.has(index) || this.#settledForGood.has(index) || this.#perhapsSettled.has(index);
    return this.#acknowledged.has(index) && !isSettled;
  }

  #settle(journal: Journal, n: number): void {
    const count = Math.floor((this.#taken.length * n) / 1000);
    const through = this.#taken.slice(0, count);
    for (const message of through) {
      journal.done(message, 1);
      this.#settled.add(this.#indexes.get(message.number)!);
    }
    if (through.length > 0) journal.settledThrough({ messageNo: through.at(-1)!.number, valueNo: 0 });
  }

  async #checkpoint(journal: Journal, count: number): Promise<void> {
    const settled = [...this.#settled];
    const save = async (): Promise<void> => {
      try {
        await journal.saveCheckpoint(() => ({ counters: { count } }));
        for (const index of settled) this.#settledForGood.add(index);
      } catch {
        // the disk refused
      }
    };
    const saving = save();
    await this.#sample.clock.advance(0);
    if (!this.#isDown) await saving;
  }

  #die(how: () => void): void {
    how();
    this.#isDown = true;
    for (const index of this.#settled) this.#perhapsSettled.add(index);
    this.#settled.clear();
  }

  /** The power goes before the nth operation from now, in the middle of a commit, a checkpoint or a repair. */
  async #crashWithin(journal: Journal, n: number): Promise<void> {
    const { disk, clock } = this.#sample;
    let left = n % 12;
    disk.before = () => {
      left -= 1;
      if (left >= 0 || this.#isDown) return;
      disk.before = () => {};
      this.#die(() => disk.crash());
    };
    this.#append(journal, 1 + (n % 4), n);
    const saving = journal.saveCheckpoint(() => ({ counters: { n } })).catch(() => {});
    await clock.advance(2000);
    disk.before = () => {};
    if (!this.#isDown) await saving;
  }
}

describe('the journal over a disk that loses, tears, reorders, fails and fills up', () => {
  it('holds what it acknowledged and was not told to be settled, byte for byte, in order, under one number', async () => {
    expect.hasAssertions();
    const runs = asyncProperty(integer(), commands, async (seed, sequence) => {
      const model = new Model(seed);
      for (const command of sequence) await model.run(command);
      await model.finish();
    });
    await assert(runs, {
      numRuns: Number(process.env['JOURNAL_MODEL_RUNS'] ?? 300),
      timeout: 10_000,
      endOnFailure: true,
    });
  }, 600_000);
});
