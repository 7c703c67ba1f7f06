import { sleep, type Clock } from '../core/clock.ts';
import type { MessageCounters } from '../core/counters.ts';
import { coerceError, type Reason } from '../core/errors.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import { SKIPPED, type Message } from '../core/message.ts';
import { byDestination, TagValues } from '../core/tag-values.ts';
import { Gate } from '../core/gate.ts';
import type { LaneInlet } from './lane-inlet.ts';

/** Where messages come from. */
export interface MessageReader {
  /** The next messages, waiting for at least one. None: there will be no more, or `signal` is aborted. */
  take(signal: AbortSignal): Promise<readonly Message[]>;
  /**
   * All of the message's values are in the buffers, the last of them as value number `values` - 1; 0: it has none, none
   * of them was let through, or it is durably kept as undecodable.
   */
  done(message: Message, values: number): void;
}

export interface MessageDecoder {
  /**
   * Puts the message's values into the empty list `into`, or says why it can't, or that there are none to be had.
   * Values that are left out on purpose are not in the list, but in its `leftOut`.
   */
  decode(message: Message, into: TagValues): Reason | typeof SKIPPED | undefined;
}

/** Where messages go that can't be decoded. */
export interface Undecodable {
  /** Resolves when the message is durable. */
  add(message: Message, reason: Reason): Promise<void>;
}

export interface ExpanderOptions {
  readonly reader: MessageReader;
  readonly decoder: MessageDecoder;
  /** The entrance of the lane of this destination; there is one for every name. */
  readonly inletOf: (destination: string) => LaneInlet;
  readonly undecodable: Undecodable;
  readonly counters: Pick<MessageCounters, 'messagesUndecodable' | 'messagesSkipped'>;
  readonly log: Logger;
  readonly clock: Clock;
}

const MAX_SETTING_ASIDE = 1_000;
const LARGE_PAYLOAD_BYTES = 262_144;
const INITIAL_CAPACITY = 64;
const STEPS_BEFORE_YIELD = 10_000;

/**
 * Turns messages into tag values and puts these into the buffers of their lanes, in order.
 *
 * A message is `done` once all its values are in the buffers. One that can't be decoded is done once it is durable; the
 * others don't wait for it. Each lane gets of a message what there is room for before one of them is waited for.
 */
export class Expander {
  readonly #reader: MessageReader;
  readonly #decoder: MessageDecoder;
  readonly #inletOf: (destination: string) => LaneInlet;
  readonly #undecodable: Undecodable;
  readonly #counters: ExpanderOptions['counters'];
  readonly #clock: Clock;
  readonly #decoderFailed: RepeatedError;
  readonly #undecodableSeen: RepeatedError;
  readonly #setAsideFailed: RepeatedError;

  /** The values of the message at hand. */
  #values = new TagValues(INITIAL_CAPACITY);
  #settingAside = 0;
  readonly #settingAsideLess = new Gate();
  #stepsSinceYield = 0;

  constructor(options: ExpanderOptions) {
    this.#reader = options.reader;
    this.#decoder = options.decoder;
    this.#inletOf = options.inletOf;
    this.#undecodable = options.undecodable;
    this.#counters = options.counters;
    this.#clock = options.clock;
    this.#decoderFailed = new RepeatedError(options.log, options.clock, 'decoder failed');
    this.#undecodableSeen = new RepeatedError(options.log, options.clock, 'message can not be decoded', 'warn');
    this.#setAsideFailed = new RepeatedError(options.log, options.clock, 'undecodable message could not be kept');
  }

  /**
   * Works until the reader has no more and every message is done, or until `signal` is aborted: then messages that are
   * not done are left as they are, `pending` with them.
   */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const messages = await this.#reader.take(signal);
      if (messages.length === 0) break;
      for (const message of messages) {
        if (signal.aborted) return;
        const outcome = this.#decode(message);
        if (typeof outcome === 'object') {
          await this.#setAside(message, outcome, signal);
          continue;
        }
        const isIn = this.#append(signal);
        if (isIn === true || (await isIn)) this.#finish(message);
      }
      await this.#yield(signal);
    }
    while (this.#settingAside > 0 && !signal.aborted) await this.#settingAsideLess.wait(signal);
  }

  #decode(message: Message): Reason | typeof SKIPPED | undefined {
    this.#values.clear();
    const outcome = this.#tryDecode(message);
    this.#stepsSinceYield += 1;
    if (outcome === SKIPPED) {
      this.#values.clear();
      this.#counters.messagesSkipped += 1;
    }
    if (outcome === undefined) {
      this.#stepsSinceYield += this.#values.length + this.#values.leftOut;
      for (const [destination, count] of this.#values.leftOutBy)
        this.#inletOf(destination).leaveOut(message.number, count);
    }
    return outcome;
  }

  /** An error that the decoder throws is a bug in it, and must not stop the messages behind this one. */
  #tryDecode(message: Message): Reason | typeof SKIPPED | undefined {
    try {
      return this.#decoder.decode(message, this.#values);
    } catch (thrown) {
      const error = coerceError(thrown);
      this.#decoderFailed.report({ topic: message.topic, messageNumber: message.number, error });
      return { code: 'INTERNAL', message: `the decoder failed: ${error.message}` };
    }
  }

  #finish(message: Message): void {
    const { length, valueNos } = this.#values;
    // Values that were left out behind the last one are settled as they are: the writer would never come to them.
    const values = length === 0 ? 0 : valueNos[length - 1]! + 1;
    // A list that grew with a large message, or holds its texts, is not worth keeping.
    if (message.payload.length > LARGE_PAYLOAD_BYTES) this.#values = new TagValues(INITIAL_CAPACITY);
    this.#reader.done(message, values);
  }

  /** False when aborted before all of the message was in the buffers. */
  #append(signal: AbortSignal): boolean | Promise<boolean> {
    const values = this.#values;
    if (values.length === 0) return true;
    if (values.runs.length === 0) {
      const inlet = this.#inletOf(values.destination);
      return inlet.begin(values) || this.#appendRest([inlet], signal);
    }
    const full: LaneInlet[] = [];
    for (const [destination, part] of byDestination(values)) {
      const inlet = this.#inletOf(destination);
      if (!inlet.begin(part)) full.push(inlet);
    }
    return full.length === 0 || this.#appendRest(full, signal);
  }

  async #appendRest(inlets: readonly LaneInlet[], signal: AbortSignal): Promise<boolean> {
    for (const inlet of inlets) {
      if (!(await inlet.appendRest(signal))) return false;
    }
    this.#stepsSinceYield = 0;
    return true;
  }

  /** Waits only when very many are on their way to the disk. */
  async #setAside(message: Message, reason: Reason, signal: AbortSignal): Promise<void> {
    this.#counters.messagesUndecodable += 1;
    this.#undecodableSeen.report({ topic: message.topic, messageNumber: message.number, ...reasonFields(reason) });
    this.#settingAside += 1;
    void this.#keep(message, reason);
    while (this.#settingAside >= MAX_SETTING_ASIDE && !signal.aborted) await this.#settingAsideLess.wait(signal);
  }

  async #keep(message: Message, reason: Reason): Promise<void> {
    try {
      await this.#undecodable.add(message, reason);
      this.#reader.done(message, 0);
      this.#setAsideFailed.over();
    } catch (error) {
      this.#setAsideFailed.report({ topic: message.topic, messageNumber: message.number, error });
    } finally {
      this.#settingAside -= 1;
      this.#settingAsideLess.open();
    }
  }

  /**
   * Messages that are there already come without a turn of the event loop: sockets and timers must get theirs all the
   * same.
   */
  async #yield(signal: AbortSignal): Promise<void> {
    if (this.#stepsSinceYield < STEPS_BEFORE_YIELD) return;
    this.#stepsSinceYield = 0;
    await sleep(this.#clock, 0, signal);
  }
}

function reasonFields(reason: Reason): { readonly code: string; readonly reason: string } {
  return { code: reason.code, reason: reason.message };
}
