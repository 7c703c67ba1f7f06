import type { CancelTimer, Clock } from '../core/clock.ts';
import { coerceError, DatabaseError, type DatabaseErrorKind, type Reason } from '../core/errors.ts';
import { RepeatedError, type LogFields, type Logger } from '../core/logger.ts';

/**
 * Whether Oracle takes batches.
 *
 *     connected ──a batch failed──► retrying ──retries spent, or of no use──► down
 *         ▲                          │    ▲                                    │
 *         └──── a batch was taken ───┘    └────────── the probe answered ──────┘
 *
 * While down, batches go straight to the backup and a probe asks at intervals. After its answer the next batch is
 * tried, once: when it is taken, or none comes for a probe's interval, the outage is over; when it is refused, the same
 * outage goes on. The start is a `retrying` too: nothing is known yet, so the probe asks at once.
 *
 * Of each batch it hears, in this order: `trying` before each attempt, after it `succeeded`, `retrying` (another
 * attempt follows) or `failed`, or nothing when the database neither took nor failed it; `batchEnded` at last.
 */
export type OracleState = 'connected' | 'retrying' | 'down';

interface Policy {
  /** Trying the same batch again at once may help. */
  readonly retry: boolean;
  readonly minProbeIntervalMs: number;
  /** Up to this the interval doubles with each batch of an outage that fails in the same way. */
  readonly maxProbeIntervalMs?: number;
}

const POLICY: Readonly<Record<DatabaseErrorKind, Policy>> = {
  connection: { retry: true, minProbeIntervalMs: 0 },
  passing: { retry: true, minProbeIntervalMs: 0 },
  resource: { retry: false, minProbeIntervalMs: 30_000 },
  configuration: { retry: false, minProbeIntervalMs: 60_000 },
  // The probe can't see it, as it parses only: so each answer costs a batch that goes to the backup.
  refused: { retry: true, minProbeIntervalMs: 0, maxProbeIntervalMs: 60_000 },
  mistake: { retry: false, minProbeIntervalMs: 0 },
};

export interface AvailabilityOptions {
  readonly probeIntervalMs: number;
  /** Throws DatabaseError as long as a batch would not be taken. */
  readonly probe: () => Promise<void>;
  /** The outage is over: its backup can be sealed. */
  readonly onOutageOver: () => void;
  /** Batches are taken, after an outage or at the start. */
  readonly onUp: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Availability {
  readonly #options: AvailabilityOptions;
  readonly #stillDown: RepeatedError;
  #state: OracleState = 'retrying';
  #sinceMs: number;
  #error: DatabaseError | undefined;
  #outageBeganMs: number | undefined;
  /** Batches of the outage that failed. */
  #failures = 0;
  #trialBusy = false;
  #cancelTimer: CancelTimer | undefined;
  #stopped = true;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
    this.#stillDown = new RepeatedError(options.log, options.clock, 'oracle does not answer', 'warn');
    this.#sinceMs = options.clock.now();
  }

  get state(): OracleState {
    return this.#state;
  }

  /** When the state began, in epoch milliseconds. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Why the state is not `connected`. */
  get reason(): Reason | undefined {
    return this.#error === undefined ? undefined : reasonOf(this.#error);
  }

  /** What kind of error that is. */
  get kind(): DatabaseErrorKind | undefined {
    return this.#error?.kind;
  }

  /** What a person can do about it; undefined or empty where nothing is known. */
  get remedy(): string | undefined {
    return this.#error?.remedy;
  }

  /** From the first batch that went to the backup to the first that Oracle took again. */
  get inOutage(): boolean {
    return this.#outageBeganMs !== undefined;
  }

  start(): void {
    this.#stopped = false;
    this.#schedule(0, () => this.#ask());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  /** A person has changed something: while down, the database is asked at once rather than at the next interval. */
  askNow(): void {
    if (this.#state === 'down') this.#schedule(0, () => this.#ask());
  }

  /** Whether the same batch should be tried again after this error. During an outage a batch is tried once. */
  mayRetry(error: DatabaseError): boolean {
    return POLICY[error.kind].retry && !this.inOutage;
  }

  /** A batch is about to be tried. */
  trying(): void {
    this.#trialBusy = true;
  }

  /** A batch was taken. */
  succeeded(): void {
    this.#trialBusy = false;
    if (this.#state !== 'connected') this.#goUp();
  }

  /**
   * A batch came to its end. When it never reached the database, as all of it was rejected or found to be in Oracle
   * already, the probe asks how things are.
   */
  batchEnded(): void {
    if (!this.#trialBusy) return;
    this.#trialBusy = false;
    if (this.#state === 'retrying') this.#schedule(0, () => this.#ask());
  }

  /** A batch failed and will be tried again. */
  retrying(error: DatabaseError): void {
    this.#error = error;
    if (this.#state === 'retrying') return;
    this.#options.log.warn('oracle does not take a batch: trying again', fieldsOf(error));
    this.#enter('retrying');
  }

  /** A batch failed for good: it goes to the backup, and the next ones with it until the database answers. */
  failed(error: DatabaseError): void {
    this.#trialBusy = false;
    this.#error = error;
    if (!this.inOutage) {
      this.#options.log.error('oracle is down: batches go to the csv backup', fieldsOf(error));
      this.#outageBeganMs = this.#options.clock.now();
      this.#failures = 0;
    }
    this.#failures += 1;
    this.#enter('down');
    this.#schedule(this.#probeIntervalMs(error), () => this.#ask());
  }

  async #ask(): Promise<void> {
    const { probe, probeIntervalMs, log } = this.#options;
    try {
      await probe();
    } catch (thrown) {
      this.#notYet(asDatabaseError(thrown));
      return;
    }
    if (this.#stopped || this.#state === 'connected') return;
    if (!this.inOutage) {
      this.#goUp();
      return;
    }
    if (this.#failures === 1) log.info('oracle answers again: the next batch decides');
    this.#enter('retrying');
    this.#schedule(probeIntervalMs, () => {
      if (!this.#trialBusy) this.#goUp();
    });
  }

  #notYet(error: DatabaseError): void {
    if (this.#stopped || this.#state === 'connected') return;
    if (this.#state !== 'down' && !POLICY[error.kind].retry) {
      this.failed(error);
      return;
    }
    this.#error = error;
    this.#stillDown.report(fieldsOf(error));
    this.#schedule(this.#probeIntervalMs(error), () => this.#ask());
  }

  #goUp(): void {
    const { clock, log, onOutageOver, onUp } = this.#options;
    this.#cancelTimer?.();
    this.#error = undefined;
    this.#enter('connected');
    this.#stillDown.over();
    onUp();
    if (this.#outageBeganMs === undefined) {
      log.info('oracle takes batches');
      return;
    }
    log.info('oracle takes batches again', { outageSeconds: Math.round((clock.now() - this.#outageBeganMs) / 1000) });
    this.#outageBeganMs = undefined;
    onOutageOver();
  }

  #enter(state: OracleState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#sinceMs = this.#options.clock.now();
  }

  #probeIntervalMs(error: DatabaseError): number {
    const { minProbeIntervalMs, maxProbeIntervalMs = 0 } = POLICY[error.kind];
    const leastMs = Math.max(this.#options.probeIntervalMs, minProbeIntervalMs);
    return Math.max(leastMs, Math.min(maxProbeIntervalMs, leastMs * 2 ** (this.#failures - 1)));
  }

  /** There is one timer at most: a later plan replaces the earlier. */
  #schedule(delayMs: number, run: () => Promise<void> | void): void {
    this.#cancelTimer?.();
    if (!this.#stopped) this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => void run());
  }
}

function reasonOf(error: DatabaseError): Reason {
  return { code: error.code, message: error.message };
}

function fieldsOf({ code, message, remedy, outcomeUnknown }: DatabaseError): LogFields {
  return { code, error: message, ...(remedy === '' ? {} : { remedy }), ...(outcomeUnknown ? { outcomeUnknown } : {}) };
}

function asDatabaseError(thrown: unknown): DatabaseError {
  if (thrown instanceof DatabaseError) return thrown;
  const error = coerceError(thrown);
  return new DatabaseError('passing', error.name, error.message, { cause: error });
}
