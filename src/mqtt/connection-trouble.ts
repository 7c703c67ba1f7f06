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
  /** What the last attempt met with; empty before the first. */
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
  readonly #unreachable: RepeatedError;
  readonly #refused: RepeatedError;
  readonly #lost: RepeatedError;
  #hasConnected = false;
  #sinceMs: number;
  #reason = '';
  #remedy = '';

  constructor(log: Logger, clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.now();
    this.#unreachable = new RepeatedError(log, clock, 'broker not reachable', 'warn');
    this.#refused = new RepeatedError(log, clock, 'broker refuses the connection');
    this.#lost = new RepeatedError(log, clock, 'connection to the broker lost', 'warn');
  }

  /** As long as there is no connection. */
  get present(): Trouble {
    return { reason: this.#reason, remedy: this.#remedy, sinceMs: this.#sinceMs };
  }

  connected(): void {
    this.#hasConnected = true;
    this.#unreachable.over();
    this.#refused.over();
  }

  ended(url: string, outcome: Outcome, ending: Ending): void {
    const { connectedAtMs, error, reasonCode } = outcome;
    const remedy = refusalOf(reasonCode).remedy || this.#remedyFor(url, outcome);
    const broker = brokerOf(url);
    const fields: LogFields = { broker, error: error ?? 'closed by the broker', ...(remedy === '' ? {} : { remedy }) };
    this.#reason = `${broker}: ${textOf(error)}`;
    this.#remedy = remedy;
    if (connectedAtMs !== undefined) {
      this.#sinceMs = this.#clock.now();
      if (ending === 'lost') this.#lost.over();
      this.#lost.report(fields);
    } else if (reasonCode !== undefined) {
      this.#refused.report({ ...fields, reasonCode });
    } else {
      this.#unreachable.report(fields);
    }
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
