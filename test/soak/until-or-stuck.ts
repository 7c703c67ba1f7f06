import { setTimeout as wait } from 'node:timers/promises';

const STUCK_AFTER_MS = 180_000;
const ASK_EVERY_MS = 100;

/**
 * Waits until `condition`, for as long as it takes, while `progress` goes on. Throws when that has stood still for
 * three minutes, naming `what`: a machine with much else to do is slow, and no fault.
 */
export async function untilOrStuck(
  what: string,
  condition: () => boolean | Promise<boolean>,
  progress: () => number,
): Promise<void> {
  let [reached, atMs] = [progress(), performance.now()];
  while (!(await condition())) {
    const present = progress();
    if (present !== reached) [reached, atMs] = [present, performance.now()];
    if (performance.now() - atMs > STUCK_AFTER_MS) throw new Error(`nothing gets on, waiting for: ${what}`);
    await wait(ASK_EVERY_MS);
  }
}
