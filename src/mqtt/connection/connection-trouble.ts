import { brokerOf } from '../../core/broker-url.ts';
import type { Clock } from '../../core/clock.ts';
import { RepeatedError, type LogFields, type Logger } from '../../core/logger.ts';
import { errorText, type Outcome } from './attempt.ts';
import type { Ending } from './broker-rotation.ts';
import { ConnackTimeoutError, isSilence } from './protocol-version.ts';
import { connectRemedy, refusalOf } from './remedies.ts';

/** Why there is no connection. */
export interface Trouble {
  /** What the last attempt met with, for each broker that was tried; empty before the first. */
  readonly reason: string;
  /** What a person can do about it; empty where nothing is known. */
  readonly remedy: string;
  /** Wall clock: since when there is none. */
  readonly sinceMs: number;
}

/** What the running bridge does about a CONNECT of MQTT 5 that is not answered. */
const OTHER_VERSION = 'With 3.1.1 it may answer: the bridge tries that after three attempts';

/** Tells the log, once and again at intervals, and the status why there is no connection to the broker. */
export class ConnectionTrouble {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By broker: of a list, each has its own trouble. */
  readonly #unreachable = new Map<string, RepeatedError>();
  readonly #refused = new Map<string, RepeatedError>();
  readonly #reasons = new Map<string, string>();
  readonly #remedies = new Map<string, string>();
  readonly #lost: RepeatedError;
  #hasConnected = false;
  #sinceMs: number;

  constructor(log: Logger, clock: Clock) {
    this.#clock = clock;
    this.#log = log;
    this.#sinceMs = clock.now();
    this.#lost = new RepeatedError(log, clock, 'connection to the broker lost', 'warn');
  }

  /** Why there is no connection; holds only while there is none. */
  get present(): Trouble {
    const reasons = [...this.#reasons].map(([broker, reason]) => `${broker}: ${reason}`);
    const remedies = new Set(this.#remedies.values());
    return { reason: reasons.join('; '), remedy: [...remedies].join('; '), sinceMs: this.#sinceMs };
  }

  connected(): void {
    this.#hasConnected = true;
    this.#unreachable.clear();
    this.#refused.clear();
    this.#reasons.clear();
    this.#remedies.clear();
  }

  ended(url: string, outcome: Outcome, ending: Ending): void {
    const { connectedAtMs, error, reasonCode } = outcome;
    const remedy = this.#remedyFor(url, outcome);
    const broker = brokerOf(url);
    const fields: LogFields = { broker, error: error ?? 'closed by the broker', ...(remedy === '' ? {} : { remedy }) };
    this.#reasons.set(broker, errorText(error) ?? 'closed by the broker');
    if (remedy !== '') this.#remedies.set(broker, remedy);
    if (connectedAtMs !== undefined) {
      this.#sinceMs = this.#clock.now();
      if (ending === 'lost') this.#lost.over();
      this.#lost.report(fields);
    } else if (reasonCode !== undefined) {
      this.#repeated(this.#refused, broker, 'broker refuses the connection', 'error').report({ ...fields, reasonCode });
    } else {
      this.#repeated(this.#unreachable, broker, 'broker not reachable', 'warn').report(fields);
    }
  }

  #repeated(
    known: Map<string, RepeatedError>,
    broker: string,
    message: string,
    level: 'warn' | 'error',
  ): RepeatedError {
    const repeated = known.get(broker) ?? new RepeatedError(this.#log, this.#clock, message, level);
    known.set(broker, repeated);
    return repeated;
  }

  #remedyFor(url: string, outcome: Outcome): string {
    const { connectedAtMs, error, reasonCode } = outcome;
    if (connectedAtMs !== undefined) return refusalOf(reasonCode).remedy;
    const isMute = error instanceof ConnackTimeoutError;
    // The scheme was right for a broker that has let the bridge in: what closes connections now is a broker that goes,
    // or its proxy.
    if (reasonCode === undefined && isSilence(error) && !isMute && this.#hasConnected) return '';
    const remedy = connectRemedy(outcome, url);
    return isMute ? `${remedy} ${OTHER_VERSION}` : remedy;
  }
}
