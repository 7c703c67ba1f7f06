/** No retry keeps a value this long: the writer hangs. */
const STUCK_AFTER_MS = 300_000;

export interface WatchedLane {
  readonly destination: string;
  readonly buffer: { readonly oldestAgeMs: number };
}

/** Lanes whose writer hangs, one sentence each. A loop that dies ends the process, so nothing else is looked for. */
export function findStuck(lanes: readonly WatchedLane[]): string[] {
  return lanes.flatMap(({ buffer: { oldestAgeMs }, destination }) => {
    if (oldestAgeMs < STUCK_AFTER_MS) return [];
    const whose = lanes.length === 1 ? '' : ` of the destination ${destination}`;
    return [`the oldest value has been in the buffer${whose} for ${oldestAgeMs} ms`];
  });
}
