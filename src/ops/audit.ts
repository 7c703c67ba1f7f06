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

/** A lane, as far as it is audited. */
export interface AuditedLane {
  readonly name: string;
  readonly counters: ValueCounters;
  readonly pending: number;
}

/** The figures are those of the total; what one lane misses and another has too much is balanced for nobody. */
export function auditWithLanes(counters: ValueCounters, pending: number, lanes: readonly AuditedLane[]): Audit {
  const total = auditCounters(counters, pending);
  return { ...total, balanced: total.balanced && unbalancedLanes(lanes).length === 0 };
}

function unbalancedLanes(lanes: readonly AuditedLane[]): AuditedLane[] {
  return lanes.filter((lane) => !auditCounters(lane.counters, lane.pending).balanced);
}

const CHECK_EVERY_MS = 10_000;

export interface AuditMonitorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  /** How many received values are still on their way, in all stages together. */
  readonly pending: () => number;
  readonly lanes: () => readonly AuditedLane[];
}

/** Checks the audit, in total and of each lane, every 10 s; logs when it is out of balance and when no more. */
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
    const { counters, log, pending } = this.#options;
    const lanes = this.#options.lanes();
    const audit = auditWithLanes(counters, pending(), lanes);
    if (!audit.balanced) {
      const { difference } = audit;
      this.#unbalanced.report({ difference, pending: audit.pending, ...counters, ...destinationsIn(lanes) });
    } else if (!this.#wasBalanced) {
      this.#unbalanced.over();
      log.info('audit balanced again', { pending: audit.pending });
    }
    this.#wasBalanced = audit.balanced;
    return audit;
  }
}

/** Which destinations are out of balance, each with its difference; with one destination nobody needs to be told. */
function destinationsIn(lanes: readonly AuditedLane[]): { readonly destinations?: Readonly<Record<string, number>> } {
  if (lanes.length < 2) return {};
  const found = unbalancedLanes(lanes).map(({ counters, name, pending }) => {
    return [name, auditCounters(counters, pending).difference] as const;
  });
  return { destinations: Object.fromEntries(found) };
}
