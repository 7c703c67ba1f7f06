export type ProtocolVersion = 4 | 5;

const UNANSWERED_BEFORE_TRYING_4 = 3;

/**
 * Which protocol version the next attempt speaks: 5 as long as it may, 4 (which is MQTT 3.1.1) for good once the broker refused 5.
 *
 * Some brokers of old do not refuse but close the connection without a word; a proxy with nothing behind it does the same. So after three
 * such attempts every second one tries 4, and only when that is accepted is 4 chosen. A broker that has accepted 5 is not doubted so.
 */
export class ProtocolChoice {
  #chosen: ProtocolVersion;
  #hasAccepted5 = false;
  #unanswered = 0;

  constructor(configured: ProtocolVersion) {
    this.#chosen = configured;
  }

  get next(): ProtocolVersion {
    const beyond = this.#unanswered - UNANSWERED_BEFORE_TRYING_4;
    return beyond >= 0 && beyond % 2 === 0 ? 4 : this.#chosen;
  }

  /** Returns true when this means a fall-back. */
  accepted(version: ProtocolVersion): boolean {
    const isFallback = version !== this.#chosen;
    this.#chosen = version;
    this.#hasAccepted5 ||= version === 5;
    this.#unanswered = 0;
    return isFallback;
  }

  /** The broker says that it does not speak `version`. Returns true when there is another to fall back to. */
  refused(version: ProtocolVersion): boolean {
    const isFallback = version === 5 && this.#chosen === 5;
    if (isFallback) this.#chosen = 4;
    return isFallback;
  }

  /** The connection was closed before any answer to CONNECT. */
  unanswered(): void {
    if (this.#chosen === 5 && !this.#hasAccepted5) this.#unanswered += 1;
  }
}
