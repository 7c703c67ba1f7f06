/**
 * - `ok`: as it must be
 * - `warning`: the bridge runs, but something will be worse than it could be
 * - `unknown`: cannot be found out from here, and a person should see to it
 * - `failed`: the bridge cannot do its work like this
 */
export type Verdict = 'ok' | 'warning' | 'unknown' | 'failed';

/** The outcome of one check. Texts may hold what a broker or a database said. */
export interface Finding {
  readonly verdict: Verdict;
  /** What was looked at, in a few words. */
  readonly subject: string;
  /** What was found. */
  readonly text: string;
  /** What to do, one step a line; empty only for what is `ok`. */
  readonly remedy: readonly string[];
}

export function ok(subject: string, text: string): Finding {
  return { verdict: 'ok', subject, text, remedy: [] };
}

export function warning(subject: string, text: string, ...remedy: readonly string[]): Finding {
  return { verdict: 'warning', subject, text, remedy };
}

export function unknown(subject: string, text: string, ...remedy: readonly string[]): Finding {
  return { verdict: 'unknown', subject, text, remedy };
}

export function failed(subject: string, text: string, ...remedy: readonly string[]): Finding {
  return { verdict: 'failed', subject, text, remedy };
}
