import { beforeEach, describe, expect, it } from 'vitest';

import { fillSubscription } from '../../src/config/kinds/subscription-fields.ts';
import { MAX_VALUE_NO } from '../../src/core/limits.ts';
import { ORIGIN } from '../../src/core/place.ts';
import { Reserve } from '../../src/core/reserve.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { MessageReading, type Subscriptions } from '../../src/message-reading.ts';
import { FormatMemory } from '../../src/payload/format-memory.ts';
import { delivery, DIRECTORY, SampleJournal } from './journal/sample-journal.ts';

const to = (destination: string): Subscriptions => [
  fillSubscription({ topic: 'plant/#', format: 'scalar', plcCode: '{2}', tagAddress: '{3}', to: destination }),
];
const [A, B, C] = [to('a'), to('b'), to('c')];
const KNOWN = { acknowledgedThrough: 0, idsCountOn: true, setsDuplicate: true, keepsIds: true };

/** One process: the journal and how its messages are read. */
class Life {
  journal!: Journal;
  readonly stopping = new AbortController();
  readonly reading: MessageReading;
  readonly #sample: SampleJournal;
  #read = 0;

  constructor(sample: SampleJournal, subscriptions: Subscriptions) {
    this.#sample = sample;
    const common = { reserve: new Reserve(DIRECTORY, 0, sample.files), fileSystem: sample.files };
    this.reading = new MessageReading(subscriptions, '{plc}.{tag}', {
      ...common,
      keeps: { origin: false, qualityCode: false },
      journalDir: DIRECTORY,
      formatMemory: new FormatMemory({ ...common, dir: `${DIRECTORY}/memory`, maxBytes: 100_000, log: sample.log }),
      sendCommand: () => Promise.resolve(),
      inject: () => {},
      clock: sample.clock,
      logOf: () => sample.log,
    });
  }

  async start(): Promise<void> {
    this.journal = await this.#sample.open({ companions: this.reading.companions });
    await this.reading.start(this.journal, this.stopping.signal);
  }

  change(subscriptions: Subscriptions): void {
    this.reading.change(subscriptions, this.journal, this.stopping.signal);
  }

  async fill(...payloads: string[]): Promise<void> {
    await this.#sample.fill(this.journal, ...payloads);
  }

  /** Reads all that has come since: payload and destination, such as `1 a`. */
  async read(): Promise<string[]> {
    const found: string[] = [];
    while (this.journal.status.messages > this.#read) {
      const messages = await this.reading.take(this.journal, this.stopping.signal);
      for (const message of messages) {
        const values = new TagValues(1);
        const outcome = this.reading.decode(message, values);
        found.push(outcome === undefined ? `${values.numbers[0]} ${values.destination}` : 'not read');
        this.journal.done(message, 1);
      }
      this.#read += messages.length;
    }
    return found;
  }

  /** All that was read is settled, which is durable. */
  async settle(): Promise<void> {
    this.journal.settledThrough({ messageNo: this.journal.lastNo, valueNo: MAX_VALUE_NO });
    this.#read = 0;
    await this.journal.saveCheckpoint(() => ({ counters: {}, ledger: ORIGIN, lanes: {}, broker: KNOWN }));
  }
}

describe('MessageReading', () => {
  let sample: SampleJournal;

  beforeEach(() => {
    sample = new SampleJournal();
  });

  async function started(subscriptions: Subscriptions): Promise<Life> {
    const life = new Life(sample, subscriptions);
    await life.start();
    return life;
  }

  it('reads messages from a change on by the new subscriptions, those before by the former', async () => {
    const life = await started(A);
    await life.fill('1', '2');
    life.change(B);
    await life.fill('3');
    expect(await life.read()).toEqual(['1 a', '2 a', '3 b']);
  });

  it.each(['kill', 'crash'] as const)(
    'reads what the next start gets again as it was read before (%s)',
    async (how) => {
      const first = await started(A);
      await first.fill('1');
      first.change(B);
      await first.fill('2', '3');
      expect(await first.read()).toEqual(['1 a', '2 b', '3 b']);
      sample.disk[how]();
      const second = await started(C);
      await second.fill('4');
      expect(second.reading.destinations).toEqual(['a', 'b', 'c']);
      expect(await second.read()).toEqual(['1 a', '2 b', '3 b', '4 c']);
      sample.disk[how]();
      expect(await (await started(C)).read()).toEqual(['1 a', '2 b', '3 b', '4 c']);
    },
  );

  it('reads what came before the configuration was changed as it was configured then', async () => {
    await (await started(A)).fill('1', '2');
    sample.disk.kill();
    const second = await started(B);
    await second.fill('3');
    sample.disk.kill();
    const third = await started(A);
    await third.fill('4');
    expect(await third.read()).toEqual(['1 a', '2 a', '3 b', '4 a']);
  });

  it('reads a message of a former topic that comes late again as it was read before', async () => {
    const first = await started(A);
    await first.fill('1');
    first.change([fillSubscription({ topic: 'other/#' })]);
    await first.fill('2');
    expect(await first.read()).toEqual(['1 a', '2 a']);
    await first.settle();
    await first.fill('3');
    expect(await first.read()).toEqual(['3 a']);
    sample.disk.kill();
    expect(await (await started([fillSubscription({ topic: 'other/#' })])).read()).toEqual(['3 a']);
  });

  it('forgets for whom settled messages were', async () => {
    const first = await started(A);
    await first.fill('1');
    first.change(B);
    await first.fill('2');
    await first.read();
    await first.settle();
    expect(first.reading.destinations).toEqual(['b']);
    sample.disk.kill();
    const second = await started(C);
    await second.fill('3');
    expect(await second.read()).toEqual(['3 c']);
    expect(second.reading.destinations).toEqual(['c']);
  });

  it('holds back messages behind a change as long as the disk refuses to note it', async () => {
    const life = await started(A);
    await life.fill('1');
    expect(await life.read()).toEqual(['1 a']);
    sample.disk.fail('rename', 'EIO', 3);
    life.change(B);
    await life.fill('2');
    let found: string[] | undefined;
    const reading = life.read().then((each) => (found = each));
    await sample.clock.advance(2_900);
    expect(found).toBeUndefined();
    expect(sample.log.messages('error')).toEqual(['changed subscriptions could not be noted']);
    await sample.clock.advance(200);
    expect(await reading).toEqual(['2 b']);
    sample.disk.kill();
    expect(await (await started(B)).read()).toEqual(['1 a', '2 b']);
  });

  it('reads each message as it was configured when it came, when changes follow upon each other', async () => {
    const life = await started(A);
    await life.fill('1');
    sample.disk.fail('rename', 'EIO', 2);
    life.change(B);
    await life.fill('2', '3');
    life.change(C);
    await life.fill('4');
    const reading = life.read();
    await sample.clock.advance(5_000);
    expect(await reading).toEqual(['1 a', '2 b', '3 b', '4 c']);
    sample.disk.kill();
    expect(await (await started(A)).read()).toEqual(['1 a', '2 b', '3 b', '4 c']);
  });

  it('leaves messages alone when a change is followed by the next one at once, also before the first is noted', async () => {
    const life = new Life(sample, A);
    sample.disk.fail('rename', 'EIO');
    await life.start();
    await life.fill('1');
    life.change(B);
    life.change(C);
    await life.fill('2');
    life.change(A);
    life.change(B);
    await life.fill('3');
    const reading = life.read();
    await sample.clock.advance(5_000);
    expect(await reading).toEqual(['1 a', '2 c', '3 b']);
    sample.disk.kill();
    expect(await (await started(B)).read()).toEqual(['1 a', '2 c', '3 b']);
  });

  it('waits for the disk no longer than until it is to stop, and has noted nothing then', async () => {
    const life = await started(A);
    await life.fill('1');
    sample.disk.fail('rename', 'EIO', 1_000);
    life.change(B);
    await sample.clock.advance(10);
    life.stopping.abort();
    await life.reading.noted();
    await life.reading.stop();
    sample.disk.heal();
    sample.disk.kill();
    expect(await (await started(A)).read()).toEqual(['1 a']);
  });

  it('names the subscriptions that have brought nothing, and since when they are there', async () => {
    const sinceMs = sample.clock.now();
    const both = [...A, fillSubscription({ topic: 'other/#' })];
    const life = await started(both);
    expect(life.reading.silent).toEqual([
      { topic: 'plant/#', sinceMs },
      { topic: 'other/#', sinceMs },
    ]);
    await life.fill('1');
    await life.read();
    expect(life.reading.silent).toEqual([{ topic: 'other/#', sinceMs }]);
    await sample.clock.advance(1_000);
    life.change([...both, fillSubscription({ topic: 'third/#' })]);
    await life.fill('2');
    await life.read();
    expect(life.reading.silent).toEqual([
      { topic: 'other/#', sinceMs },
      { topic: 'third/#', sinceMs: sinceMs + 1_000 },
    ]);
  });

  it('calls none silent while messages of before a change are read', async () => {
    const first = await started(A);
    await first.fill('1');
    sample.disk.kill();
    const second = await started([...A, fillSubscription({ topic: 'other/#' })]);
    await second.reading.noted();
    expect(second.reading.silent).toEqual([]);
    await second.fill('2');
    await second.read();
    expect(second.reading.silent.map(({ topic }) => topic)).toEqual(['other/#']);
  });

  it('says of a message that comes to nobody why it can not be read, after changes too', async () => {
    const life = await started(A);
    life.change(B);
    life.journal.append(delivery('1', [], { topic: 'elsewhere/x' }));
    await life.journal.whenIdle();
    const [message] = await life.journal.take(life.stopping.signal);
    await life.reading.noted();
    expect(life.reading.decode(message!, new TagValues(1))).toMatchObject({ code: expect.any(String) as string });
  });
});
