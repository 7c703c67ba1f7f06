import type { Clock } from '../../core/clock.ts';

export interface PatienceOptions {
  /** Rows that Oracle has taken so far, from whomever. */
  readonly rowsTaken: () => number;
  readonly clock: Clock;
}

/** `rows`: it may be because of them. `another`: it waits for another file, or for another destination. */
export type Why = 'rows' | 'the database' | 'another';

interface Refused {
  why: Why;
  sinceMs: number;
  /** Refusals in a row, between any two of which other rows were taken. */
  proofs: number;
  tries: number;
  rowsTakenThen: number;
  dueMs: number;
}

const FIRST_DELAY_MS = 30_000;
const MAX_DELAY_MS = 600_000;
const PROOFS = 3;
const PROVEN_AFTER_MS = 300_000;

/**
 * How long the files wait that a database refuses which answers: a partition may be read only, or the rows be bad. Such
 * a file is tried again at growing intervals while others go on. Where the rows may be to blame, they are when they
 * were refused three times and for five minutes, with other rows taken in between: from then on those that are refused
 * may be set apart one by one.
 */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #files = new Map<string, Refused>();

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** The file could not be written. Only `rows` counts towards its rows' being to blame. */
  refused(file: string, why: Why): void {
    const nowMs = this.#options.clock.monotonic();
    const rowsTaken = this.#options.rowsTaken();
    const known = this.#files.get(file) ?? { why, sinceMs: nowMs, proofs: 0, tries: 0, rowsTakenThen: -1, dueMs: 0 };
    known.why = why;
    if (why !== 'rows') known.proofs = 0;
    else if (rowsTaken > known.rowsTakenThen) known.proofs += 1;
    known.rowsTakenThen = rowsTaken;
    known.dueMs = nowMs + Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** known.tries);
    known.tries += 1;
    this.#files.set(file, known);
  }

  /** The file may be tried. */
  isDue(file: string): boolean {
    return (this.#files.get(file)?.dueMs ?? 0) <= this.#options.clock.monotonic();
  }

  /** The file's rows are to blame for their refusal. */
  isOver(file: string): boolean {
    const known = this.#files.get(file);
    if (known === undefined) return false;
    return known.proofs >= PROOFS && this.#options.clock.monotonic() - known.sinceMs >= PROVEN_AFTER_MS;
  }

  /** Milliseconds until the next of these files is due; undefined: none of them waits. */
  nextDueInMs(files: readonly string[]): number | undefined {
    const dueMs = files.map((file) => this.#files.get(file)?.dueMs).filter((each) => each !== undefined);
    if (dueMs.length === 0) return undefined;
    return Math.max(0, Math.min(...dueMs) - this.#options.clock.monotonic());
  }

  /** Something has changed: all may be tried at once. */
  wake(): void {
    for (const known of this.#files.values()) known.dueMs = 0;
  }

  /** Another file's replay is through, or another destination takes rows: those that wait may be tried at once. */
  wakeWaiting(): void {
    for (const known of this.#files.values()) if (known.why === 'another') known.dueMs = 0;
  }

  /** The file is gone, or a person asks for it. */
  forget(file: string): void {
    this.#files.delete(file);
  }
}
