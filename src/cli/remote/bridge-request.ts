import { systemClock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import { reachableHost } from '../../ops/http.ts';

export const ANSWER_WITHIN_MS = 5000;

export function tooLateError(): Error {
  return new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`);
}

/** What a running bridge said to one request. */
export interface BridgeAnswer {
  readonly status: number;
  /** True for a status from 200 to 299. */
  readonly isGood: boolean;
  readonly text: string;
}

/** Where a bridge with this configuration is asked, without a final slash. */
export function bridgeUrl({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${reachableHost(host)}:${port}`;
}

/**
 * Asks a running bridge. Throws what `fetch` throws when nobody is there, or an Error when no whole answer came within
 * 5 s.
 */
export async function askBridge(url: string, init: RequestInit = {}): Promise<BridgeAnswer> {
  const deadline = new AbortController();
  const cancel = systemClock.setTimer(ANSWER_WITHIN_MS, () => deadline.abort(tooLateError()));
  try {
    const response = await fetch(url, { ...init, signal: deadline.signal, redirect: 'error' });
    return { status: response.status, isGood: response.ok, text: await response.text() };
  } finally {
    cancel();
  }
}

/**
 * Why a request failed. `fetch` says no more than "fetch failed": the reason is in its cause, or in the causes of that
 * where a name has several addresses.
 */
export function describeFailure(thrown: unknown): string {
  const error = coerceError(thrown);
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  return cause instanceof Error ? cause.message : error.message;
}
