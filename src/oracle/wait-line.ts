import type { CancelTimer, Clock } from '../core/clock.ts';

/** Several wait until somebody wakes them all, each for a time of its own: first come, first woken. */
export class WaitLine {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False when the time is up. */
  wait(waitMs: number): Promise<boolean> {
    if (waitMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      let cancel: CancelTimer = () => {};
      const wake = (): void => {
        cancel();
        resolve(true);
      };
      cancel = this.#clock.setTimer(waitMs, () => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve(false);
      });
      this.#waiting.push(wake);
    });
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
