// @ts-check
/** The bridge's clock: ages are told by it, since that of the reader's machine may be wrong. */

/** A `Date` header is in whole seconds, and an answer takes its time on the way. */
const EXACT_TO_MS = 2000;

let aheadMs = 0;

/** @param {Response} response */
export function readClock(response) {
  const bridgeMs = Date.parse(response.headers.get('date') ?? '');
  const differenceMs = bridgeMs - Date.now();
  if (!Number.isNaN(bridgeMs)) aheadMs = Math.abs(differenceMs) > EXACT_TO_MS ? differenceMs : 0;
}

/** Milliseconds since the epoch, on the bridge. */
export function bridgeNowMs() {
  return Date.now() + aheadMs;
}
