import { systemErrorCode } from '../../core/errors.ts';

export type ProtocolVersion = 4 | 5;

/**
 * The way to the broker, TCP and TLS or WebSocket on top of it, did not come about for so long that it was given up.
 */
export class ConnectTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(afterMs: number) {
    super(`no connection within ${afterMs} ms`);
    this.name = 'ConnectTimeoutError';
  }
}

/** The broker took our CONNECT and said nothing, for so long that it was given up. */
export class ConnackTimeoutError extends Error {
  constructor(afterMs: number) {
    super(`connected, but no answer to CONNECT within ${afterMs} ms`);
    this.name = 'ConnackTimeoutError';
  }
}

/**
 * Whether an attempt ended as brokers end it that do not know the version and have no words for that: they close the
 * connection (undefined, or a reset), as RabbitMQ 3.10 does, or leave it open without an answer, as amqtt 0.12.1 does.
 */
export function isSilence(error: Error | undefined): boolean {
  return error === undefined || error instanceof ConnackTimeoutError || systemErrorCode(error) === 'ECONNRESET';
}

/**
 * How many attempts without an answer make the other version worth a try: more where the chosen one is known to have
 * worked.
 */
const UNANSWERED_BEFORE_OTHER = { unknown: 3, remembered: 20 };

/**
 * Which protocol version the next attempt speaks: 5 as long as it may, 4 (which is MQTT 3.1.1) for good once the broker
 * refused 5.
 *
 * Some brokers do not refuse but are silent; a proxy with nothing behind it is too. So after three such attempts every
 * second one tries 4, and only when that is accepted is 4 chosen. A version that this process saw accepted is not
 * doubted so.
 *
 * What an earlier process found is where this one begins, and no more than that: when the broker refuses it, or is
 * silent for much longer than a restart of it takes, the other version has its turn. A configured 4 is never left.
 */
export class ProtocolChoice {
  readonly #configured: ProtocolVersion;
  readonly #patience: number;
  readonly #refused = new Set<ProtocolVersion>();
  #chosen: ProtocolVersion;
  #hasAccepted = false;
  #isForced = false;
  #unanswered = 0;

  constructor(configured: ProtocolVersion, remembered?: ProtocolVersion) {
    this.#configured = configured;
    this.#chosen = configured === 4 ? 4 : (remembered ?? configured);
    this.#patience = UNANSWERED_BEFORE_OTHER[remembered === undefined ? 'unknown' : 'remembered'];
  }

  /**
   * `use` has chosen the version, for the sake of a session that gets nothing with the other one: that the broker
   * accepts it says nothing about what else it takes.
   */
  get isForced(): boolean {
    return this.#isForced;
  }

  get next(): ProtocolVersion {
    const beyond = this.#unanswered - this.#patience;
    return beyond >= 0 && beyond % 2 === 0 ? (this.#other ?? this.#chosen) : this.#chosen;
  }

  /** Undefined where there is none to change to. */
  get #other(): ProtocolVersion | undefined {
    const other = this.#chosen === 5 ? 4 : 5;
    return this.#configured === 4 || this.#refused.has(other) ? undefined : other;
  }

  /** From now on, whatever the broker would take: for the sake of a session that gets nothing with the other. */
  use(version: ProtocolVersion): void {
    this.#chosen = version;
    this.#isForced = true;
    this.#unanswered = 0;
  }

  /** Returns true when this means a change to the other version. */
  accepted(version: ProtocolVersion): boolean {
    const isChange = version !== this.#chosen;
    this.#chosen = version;
    this.#hasAccepted = true;
    this.#unanswered = 0;
    return isChange;
  }

  /** The broker says that it does not speak `version`. Returns true when this means a change to the other one. */
  refused(version: ProtocolVersion): boolean {
    this.#refused.add(version);
    const other = this.#other;
    if (version !== this.#chosen || other === undefined) return false;
    this.#chosen = other;
    return true;
  }

  /** There was a connection, and no answer to CONNECT. */
  unanswered(): void {
    if (!this.#hasAccepted) this.#unanswered += 1;
  }
}
