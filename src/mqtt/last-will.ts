import type { ProtocolVersion } from './connection/protocol-version.ts';

/** How a Last Will may be asked for, the best first. */
const WAYS = [
  { qos: 1, retain: true },
  { qos: 1, retain: false },
  { qos: 0, retain: false },
] as const;

/** By reason codes of CONNACK [MQTT 5.0 section 3.2.2.2]: retained messages, or the QoS, are not supported. */
const FIRST_WAY_AFTER: Readonly<Record<number, number>> = { 154: 1, 155: 2 };
const SILENCES_A_WAY = 2;
/** A broker refuses at once. What ends later is our own patience. */
const AT_ONCE_MS = 4000;

/**
 * The way of the Last Will that the broker takes. It refuses the connection for one that it does not: by MQTT 5 with a
 * reason code, by MQTT 3.1.1 by closing it at once, as a broker does that is about to go, or a proxy whose broker is
 * away. So by 3.1.1 the next way is tried after two of those, unless the broker is known to take the best, and each
 * connection that was lost begins with the best again.
 */
export class LastWill {
  #way = 0;
  /** Those before were refused by a reason code. */
  #first = 0;
  #takesBest = false;
  #silences = 0;

  get way(): (typeof WAYS)[number] {
    return WAYS[this.#way]!;
  }

  accepted(): void {
    this.#takesBest ||= this.#way === 0;
  }

  refused(reasonCode: number | undefined): void {
    this.#first = Math.max(this.#first, FIRST_WAY_AFTER[reasonCode ?? 0] ?? 0);
    this.#way = Math.max(this.#way, this.#first);
  }

  /** The attempt ended without a word after so long. */
  closed(version: ProtocolVersion, afterMs: number): void {
    if (version !== 4 || this.#takesBest || afterMs > AT_ONCE_MS) return;
    this.#silences += 1;
    if (this.#silences % SILENCES_A_WAY !== 0) return;
    this.#way = this.#way + 1 < WAYS.length ? this.#way + 1 : this.#first;
  }

  /** A connection that stood is over. */
  lost(): void {
    this.#way = this.#first;
  }
}
