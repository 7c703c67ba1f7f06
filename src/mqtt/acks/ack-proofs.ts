import type { CancelTimer, Clock } from '../../core/clock.ts';

/** Up to which delivery answers were written. */
export interface AckMark {
  /** The ordinal of the last delivery at QoS 1 among them. */
  readonly ordinal: number;
  /** The greatest number that the journal gave to one of them. */
  readonly messageNo: number;
}

export interface AckProofsOptions {
  readonly clock: Clock;
  /** Sends a PINGREQ; only asked for on a connection. */
  readonly ping: () => void;
  /** The broker has these PUBACKs, and all before them. */
  readonly onProven: (mark: AckMark) => void;
  /**
   * How long a broker may take to make durable what a PUBACK told it; what is younger may have to be taken for unproven
   * after a break.
   */
  readonly intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 1000;
const NONE: AckMark = { ordinal: 0, messageNo: 0 };

/**
 * Which PUBACKs have arrived: a broker reads packets in their order, so its PINGRESP says that it has read all that was
 * written before the PINGREQ [MQTT 5.0 section 4.6 for the order of acknowledgements; TCP for that of packets].
 *
 * It may answer before what it read is safe from a crash of its own. Hence what one PINGRESP shows is taken for proven
 * with the next one, an interval later. While PUBACKs are unproven there is a PINGREQ in each interval, beside those of
 * the keepalive, which serve as well.
 */
export class AckProofs {
  readonly #options: AckProofsOptions;
  #written = NONE;
  #shown = NONE;
  #proven = NONE;
  /** What had been written when each PINGREQ went out that waits for its answer; in their order. */
  readonly #asked: AckMark[] = [];
  #cancelTimer: CancelTimer | undefined;

  constructor(options: AckProofsOptions) {
    this.#options = options;
  }

  /** PUBACKs were written, once a write. */
  wrote(ordinal: number, messageNo: number): void {
    if (ordinal <= this.#written.ordinal) return;
    this.#written = { ordinal, messageNo: Math.max(messageNo, this.#written.messageNo) };
    if (this.#cancelTimer === undefined) this.#pingLater();
  }

  /** A PINGREQ was written, whoever wanted it. */
  pinged(): void {
    this.#asked.push(this.#written);
  }

  /** A PINGRESP came. */
  answered(): void {
    const mark = this.#asked.shift();
    if (mark === undefined) return;
    const proven = this.#shown;
    this.#shown = mark;
    if (proven.ordinal === this.#proven.ordinal) return;
    this.#proven = proven;
    this.#options.onProven(proven);
  }

  /** The connection is over, and with it what was asked. */
  closed(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#asked.length = 0;
    this.#shown = this.#proven = this.#written;
  }

  #pingLater(): void {
    const { clock, intervalMs = DEFAULT_INTERVAL_MS } = this.#options;
    this.#cancelTimer = clock.setTimer(intervalMs, () => {
      this.#cancelTimer = undefined;
      if (this.#proven.ordinal === this.#written.ordinal) return;
      if (this.#asked.length === 0) this.#options.ping();
      this.#pingLater();
    });
  }
}
