import type { Clock } from '../core/clock.ts';
import { sentenceOf } from '../core/wording.ts';
import { publishRemedy } from './connection/remedies.ts';

/** After so many connections in a row that ended with a message under way, it is what they end by. */
const MAX_ENDED = 3;
/** Then it is tried once more: the broker may have been given other rights or limits. */
const LEFT_OUT_MS = 600_000;

const RAISE_LIMIT =
  'Lower notices.inlineCsvMaxBytes, or raise what the broker takes (mosquitto: max_packet_size). The file itself is safe: only its copy at the broker is missing.';

interface NotTaken {
  readonly reason: string;
  readonly remedy: string;
}

interface Ended {
  count: number;
  lastMs: number;
}

/** A problem of the notices, and what a person can do about it. */
export interface NoticesProblem {
  readonly problem: string;
  readonly remedy: string;
}

/**
 * Messages that the broker does not take, by their topics: as they are larger than it says that it takes; as it refuses
 * them in PUBACK; or as it ends the connection with them, again and again, which would go on for ever.
 */
export class LeftOut {
  readonly #clock: Clock;
  readonly #onNew: (topic: string, why: NotTaken) => void;
  readonly #ended = new Map<string, Ended>();
  readonly #notTaken = new Map<string, NotTaken>();

  /** `onNew` is called once for each message that is not taken, until one on its topic is. */
  constructor(clock: Clock, onNew: (topic: string, why: NotTaken) => void) {
    this.#clock = clock;
    this.#onNew = onNew;
  }

  get count(): number {
    return this.#notTaken.size;
  }

  /** Undefined: all are taken. */
  get problem(): NoticesProblem | undefined {
    const [first] = this.#notTaken;
    if (first === undefined) return undefined;
    const [topic, { reason, remedy }] = first;
    const what = this.count === 1 ? `the notice ${topic}` : `${this.count} notices, such as ${topic}`;
    return { problem: `The broker does not take ${what}: ${reason}.`, remedy };
  }

  /** Why a message on this topic is not to be sent; undefined: it may be. */
  reasonFor(topic: string): string | undefined {
    const ended = this.#ended.get(topic);
    if (ended === undefined || ended.count < MAX_ENDED) return undefined;
    return this.#clock.monotonic() - ended.lastMs < LEFT_OUT_MS ? this.#notTaken.get(topic)?.reason : undefined;
  }

  tooLarge(topic: string, bytes: number, maxBytes: number): void {
    this.#note(topic, { reason: `it is of ${bytes} bytes, and the broker takes ${maxBytes}`, remedy: RAISE_LIMIT });
  }

  /** `code`: of PUBACK. */
  refused(topic: string, code: number, reason: string): void {
    this.#note(topic, { reason, remedy: sentenceOf(publishRemedy(topic, code)) });
  }

  /** The connection ended while it was under way. */
  endedWith(topic: string): void {
    const count = (this.#ended.get(topic)?.count ?? 0) + 1;
    this.#ended.set(topic, { count, lastMs: this.#clock.monotonic() });
    if (count < MAX_ENDED) return;
    this.#note(topic, { reason: 'it ends the connection', remedy: sentenceOf(publishRemedy(topic, 0)) });
  }

  /** There is no such message any more; that clearing it ends the connection is not forgotten. */
  gone(topic: string): void {
    if (this.reasonFor(topic) === undefined) this.#notTaken.delete(topic);
  }

  taken(topic: string): void {
    this.#ended.delete(topic);
    this.#notTaken.delete(topic);
  }

  #note(topic: string, why: NotTaken): void {
    const isNew = !this.#notTaken.has(topic);
    this.#notTaken.set(topic, why);
    if (isNew) this.#onNew(topic, why);
  }
}
