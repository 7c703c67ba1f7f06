import { setTimeout as wait } from 'node:timers/promises';

/** So many times the interval a look counts at most: what is longer was the machine's doing, or the question's. */
const COUNTED_INTERVALS = 4;
const LEAST_COUNTED_MS = 20;
/** After so many times its time it is given up in any case. */
const MOST = 4;

/**
 * Waits until `condition`, asked every `everyMs`, gives something other than false or undefined; throws after
 * `timeoutMs`, naming `what`. That time is counted in looks: on a machine that has much else to do, where each takes
 * long, what is waited for is given longer, too, but four times as long at most.
 */
export async function until<T>(
  what: string,
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  timeoutMs = 10_000,
  everyMs = 5,
): Promise<T> {
  const beganMs = performance.now();
  let lookedAtMs = beganMs;
  let countedMs = 0;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    const nowMs = performance.now();
    countedMs += Math.min(nowMs - lookedAtMs, Math.max(LEAST_COUNTED_MS, COUNTED_INTERVALS * everyMs));
    lookedAtMs = nowMs;
    if (countedMs > timeoutMs || nowMs - beganMs > MOST * timeoutMs) {
      throw new Error(`waited ${Math.round(nowMs - beganMs)} ms in vain for: ${what}`);
    }
    await wait(everyMs);
  }
}
