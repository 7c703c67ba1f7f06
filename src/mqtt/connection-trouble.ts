import { brokerOf } from '../core/broker-url.ts';
import type { Clock } from '../core/clock.ts';
import { RepeatedError, type LogFields, type Logger } from '../core/logger.ts';
import type { Outcome } from './attempt.ts';
import type { Ending } from './broker-rotation.ts';
import { ConnackTimeoutError, isSilence } from './protocol-version.ts';
import { refusalOf } from './reason-codes.ts';
import { remedyOf } from './tls-remedies.ts';

/** Why there is no connection. */
export interface Trouble {
  /** What the last attempt met with, for each broker that was tried; empty before the first. */
  readonly reason: string;
  /** What a person can do about it; empty where nothing is known. */
  readonly remedy: string;
  /** Wall clock: since when there is none. */
  readonly sinceMs: number;
}

const NO_CONNACK =
  'what listens at this address of mqtt.url does not answer as a broker: is it one, and is it in order? With 3.1.1 it may answer: the ' +
  'bridge tries that after three attempts';

/** Tells the log, once and again at intervals, and the status why there is no connection to the broker. */
export class ConnectionTrouble {
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By broker: of a list, each has its own trouble. */
  readonly #unreachable = new Map<string, RepeatedError>();
  readonly #refused = new Map<string, RepeatedError>();
  readonly #reasons = new Map<string, string>();
  readonly #lost: RepeatedError;
  #hasConnected = false;
  #sinceMs: number;
  #remedy = '';

  constructor(log: Logger, clock: Clock) {
    this.#clock = clock;
    this.#log = log;
    this.#sinceMs = clock.now();
    this.#lost = new RepeatedError(log, clock, 'connection to the broker lost', 'warn');
  }

  /** As long as there is no connection. */
  get present(): Trouble {
    const reasons = [...this.#reasons].map(([broker, reason]) => `${broker}: ${reason}`);
    return { reason: reasons.join('; '), remedy: this.#remedy, sinceMs: this.#sinceMs };
  }

  connected(): void {
    this.#hasConnected = true;
    this.#unreachable.clear();
    this.#refused.clear();
    this.#reasons.clear();
    this.#remedy = '';
  }

  ended(url: string, outcome: Outcome, ending: Ending): void {
    const { connectedAtMs, error, reasonCode } = outcome;
    const remedy = refusalOf(reasonCode).remedy || this.#remedyFor(url, outcome);
    const broker = brokerOf(url);
    const fields: LogFields = { broker, error: error ?? 'closed by the broker', ...(remedy === '' ? {} : { remedy }) };
    this.#reasons.set(broker, textOf(error));
    if (remedy !== '') this.#remedy = remedy;
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

  #remedyFor(url: string, { connectedAtMs, error, reasonCode }: Outcome): string {
    if (connectedAtMs !== undefined || reasonCode !== undefined) return '';
    if (error instanceof ConnackTimeoutError) return NO_CONNACK;
    return remedyOf(error, url, isSilence(error) && !this.#hasConnected) ?? '';
  }
}

/** Some system errors have a code and no words. */
function textOf(error: Error | undefined): string {
  if (error === undefined) return 'closed by the broker';
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
