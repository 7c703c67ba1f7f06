import { Expander } from '../../../src/buffer/expander.ts';
import { LaneInlet } from '../../../src/buffer/lane-inlet.ts';
import { TagBuffer, type OnFull } from '../../../src/buffer/tag-buffer.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { createCounters } from '../../../src/core/counters.ts';
import type { Reason } from '../../../src/core/errors.ts';
import { SKIPPED, type Message } from '../../../src/core/message.ts';
import { TagValues } from '../../../src/core/tag-values.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

/** A message of so many values, or of these of which some are left out; or one that is refused, skipped, or a bug. */
export type Content = number | readonly ('in' | 'out')[] | 'bad' | 'skipped' | 'bug';

export interface SetAside {
  readonly number: number;
  readonly code: string;
  readonly settle: (error?: Error) => void;
}

/** An expander between a reader and an undecodable store that do what a test says. */
export class ExpanderBench {
  readonly buffer: TagBuffer;
  readonly counters = createCounters();
  readonly log = new RecordingLogger();
  readonly inlet: LaneInlet;
  readonly expander: Expander;
  readonly done: number[] = [];
  /** With how many values it was done with a message. */
  readonly doneWith = new Map<number, number>();
  readonly filtered: (readonly [number, number])[] = [];
  readonly settingAside: SetAside[] = [];
  readonly taken: string[] = [];
  readonly #abort = new AbortController();
  readonly #queue: Message[][] = [];
  #wake: () => void = () => {};
  #ended = false;
  #lastNumber = 0;
  readonly running: Promise<void>;

  constructor(capacity: number, onFull: OnFull = 'wait', clock: Clock = new FakeClock()) {
    this.buffer = new TagBuffer({ capacity, onFull, clock });
    const { buffer, counters, log } = this;
    this.inlet = new LaneInlet({
      buffer,
      counters,
      onBegin: () => {},
      onLeftOut: (messageNo, values) => this.filtered.push([messageNo, values]) > 0,
      onWaiting: () => {},
      log,
      clock,
    });
    this.expander = new Expander({
      reader: { take: (signal) => this.#take(signal), done: (message, values) => this.#done(message, values) },
      decoder: { decode: (message, into) => this.#decode(message, into) },
      undecodable: { add: (message, reason) => this.#setAside(message, reason) },
      inletOf: () => this.inlet,
      counters: this.counters,
      log: this.log,
      clock,
    });
    this.running = this.expander.run(this.#abort.signal);
  }

  send(...contents: Content[]): void {
    this.#queue.push(
      contents.map((content) => {
        this.#lastNumber += 1;
        const payload = Buffer.from(String(content));
        return { number: this.#lastNumber, topic: 't', payload, receivedAtMs: 5 };
      }),
    );
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  abort(): void {
    this.#abort.abort();
    this.#wake();
  }

  /** What was taken shows in `taken`, as message number/value number. */
  takeFromBuffer(max: number): void {
    const into = new TagValues(max);
    this.buffer.take(into, max);
    for (let i = 0; i < into.length; i += 1) this.taken.push(`${into.messageNos[i]}/${into.valueNos[i]}`);
    this.checkAudit();
  }

  /** Throws when a value is missing or there is one too many. */
  checkAudit(): void {
    const { valuesReceived, valuesDropped, valuesFiltered } = this.counters;
    const found = this.taken.length + this.buffer.size + valuesDropped + valuesFiltered + this.inlet.pending;
    if (valuesReceived !== found) throw new Error(`${valuesReceived} values received, ${found} found`);
    if (valuesDropped !== this.buffer.evicted) throw new Error(`${valuesDropped} values dropped in the counters only`);
  }

  async #take(signal: AbortSignal): Promise<readonly Message[]> {
    while (this.#queue.length === 0 && !this.#ended && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.checkAudit();
    return signal.aborted ? [] : (this.#queue.shift() ?? []);
  }

  #decode(message: Message, into: TagValues): Reason | typeof SKIPPED | undefined {
    this.checkAudit();
    if (into.length > 0) throw new Error('the list is not empty');
    const content = message.payload.toString();
    const tag = { plcCode: '', address: 'A', name: 'A' };
    if (content === 'bug') {
      into.push(tag, 1, null, 0, 'GOOD');
      throw new TypeError('a bug');
    }
    if (content === 'skipped') return SKIPPED;
    if (content === 'bad') return { code: 'BAD', message: 'is bad' };
    const fates = /[a-z]/.test(content) ? content.split(',') : [];
    const count = fates.length > 0 ? fates.length : Number(content);
    for (let i = 0; i < count; i += 1) into.push(tag, i, null, 0, 'GOOD');
    into.stamp(message.number, message.receivedAtMs);
    const marks = Uint8Array.from(fates, (fate) => Number(fate === 'out'));
    into.leaveOut(marks, fates.filter((fate) => fate === 'out').length);
    return undefined;
  }

  #setAside(message: Message, reason: Reason): Promise<void> {
    this.checkAudit();
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => (error === undefined ? resolve() : reject(error));
      this.settingAside.push({ number: message.number, code: reason.code, settle });
    });
  }

  #done(message: Message, values: number): void {
    this.checkAudit();
    this.doneWith.set(message.number, values);
    this.done.push(message.number);
  }
}
