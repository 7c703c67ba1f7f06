import { setTimeout as wait } from 'node:timers/promises';

/**
 * Waits until `condition`, asked every `everyMs`, gives something other than false or undefined; throws after
 * `timeoutMs`, naming `what`.
 */
export async function until<T>(
  what: string,
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  timeoutMs = 10_000,
  everyMs = 5,
): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await wait(everyMs);
  }
}
