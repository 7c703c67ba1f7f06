/**
 * Who may have the next of a few connections, so that a destination whose calls hang does not take the last one from
 * another: while a connection is free,
 *
 * 1. one that has none gets it, unless its latest call has failed, the connection is the last one, and another has none
 *    either;
 * 2. one that has some already (its replay beside its live data) gets it only where enough stay free for all that have
 *    none, or at least one.
 *
 * So with one connection for each destination and one more nobody ever waits for another; with fewer the last one goes
 * to those whose calls succeed. With a single connection, or a single destination, whoever comes first is first.
 */
export class FairShare {
  readonly #max: number;
  readonly #held = new Map<string, number>();
  readonly #troubled = new Set<string>();

  /** `max`: connections that may be open at once. */
  constructor(max: number, destinations: readonly string[]) {
    this.#max = max;
    for (const destination of destinations) this.#held.set(destination, 0);
  }

  /** Whether the destination may take a connection now. */
  mayTake(destination: string): boolean {
    const free = this.#max - this.#inUse;
    if (free <= 0) return false;
    if (this.#max === 1 || this.#held.size <= 1) return true;
    const held = this.#held.get(destination) ?? 0;
    const without = [...this.#held.values()].filter((count) => count === 0).length;
    if (held === 0) return free > 1 || !this.#troubled.has(destination) || without === 1;
    return free > Math.max(1, Math.min(without, this.#max - 1));
  }

  take(destination: string): void {
    this.#held.set(destination, (this.#held.get(destination) ?? 0) + 1);
  }

  /** `failed`: by the connection or the database, not by the caller. */
  giveBack(destination: string, failed: boolean): void {
    this.#held.set(destination, (this.#held.get(destination) ?? 1) - 1);
    if (failed) this.#troubled.add(destination);
    else this.#troubled.delete(destination);
  }

  get #inUse(): number {
    let sum = 0;
    for (const count of this.#held.values()) sum += count;
    return sum;
  }
}
