import type { CancelTimer, Clock } from '../core/clock.ts';
import { settledOf, type Counters, type ValueCounters } from '../core/counters.ts';
import { type Logger, RepeatedError } from '../core/logger.ts';

/** `pending` is counted where the values are, never derived from the counters: otherwise it would always balance. */
export interface Audit {
  readonly balanced: boolean;
  readonly pending: number;
  /** Received less accounted for: above 0 values are missing, below 0 some were counted twice. */
  readonly difference: number;
}

/**
 * Holds received values against what became of them: every one is written or was there already, kept in a file,
 * left out on purpose, or still on its way.
 */
export function auditCounters(counters: ValueCounters, pending: number): Audit {
  const difference = counters.valuesReceived - settledOf(counters) - pending;
  return { balanced: difference === 0, pending, difference };
}

const CHECK_EVERY_MS = 10_000;

export interface AuditMonitorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  /** How many received values are still on their way, in all stages together. */
  readonly pending: () => number;
}

/** Checks the audit every 10 s and logs when it goes out of balance and when it is balanced again. */
export class AuditMonitor {
  readonly #options: AuditMonitorOptions;
  readonly #unbalanced: RepeatedError;
  #wasBalanced = true;
  #cancel: CancelTimer = () => {};

  constructor(options: AuditMonitorOptions) {
    this.#options = options;
    this.#unbalanced = new RepeatedError(options.log, options.clock, 'audit out of balance');
  }

  start(): void {
    this.#cancel();
    this.#cancel = this.#options.clock.setTimer(CHECK_EVERY_MS, () => {
      this.check();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** Checks the audit now; at the end of a drain too. */
  check(): Audit {
    const { counters, pending, log } = this.#options;
    const audit = auditCounters(counters, pending());
    if (!audit.balanced) {
      this.#unbalanced.report({ difference: audit.difference, pending: audit.pending, ...counters });
    } else if (!this.#wasBalanced) {
      this.#unbalanced.over();
      log.info('audit balanced again', { pending: audit.pending });
    }
    this.#wasBalanced = audit.balanced;
    return audit;
  }
}
