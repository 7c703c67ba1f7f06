/**
 * What became of messages and values since the start. Plain numbers, added to once a batch, read by the status and the
 * metrics. A message is counted once, as what it was when it was first read: one that was undecodable and is read again
 * when its file is replayed stays so, whatever it is then. Its values are received then.
 */
export type Counters = MessageCounters & ValueCounters;

export interface MessageCounters {
  messagesReceived: number;
  messagesUndecodable: number;
  /**
   * No values for their subscription: of another kind, empty, or retained ones that are stored already or not wanted.
   */
  messagesSkipped: number;
  messagesDuplicate: number;
  /** Stored though they may be repetitions: without a time of their own nobody can tell. */
  messagesMaybeRepeated: number;
}

/** Each lane has its own; all together are the sums. */
export interface ValueCounters {
  valuesReceived: number;
  valuesWritten: number;
  /** Nothing was written for them, as the table had their rows, by their key (`oracle.onDuplicate`). */
  valuesAlreadyThere: number;
  valuesBackedUp: number;
  valuesReplayed: number;
  valuesRejected: number;
  valuesDropped: number;
  /** Left out by the filters of their subscription. */
  valuesFiltered: number;
}

const VALUE_KEYS = [
  'valuesReceived',
  'valuesWritten',
  'valuesAlreadyThere',
  'valuesBackedUp',
  'valuesReplayed',
  'valuesRejected',
  'valuesDropped',
  'valuesFiltered',
] as const satisfies readonly (keyof ValueCounters)[];

export function createMessageCounters(): MessageCounters {
  return {
    messagesReceived: 0,
    messagesUndecodable: 0,
    messagesSkipped: 0,
    messagesDuplicate: 0,
    messagesMaybeRepeated: 0,
  };
}

export function createValueCounters(): ValueCounters {
  return sumOf([]);
}

export function createCounters(): Counters {
  return { ...createMessageCounters(), ...createValueCounters() };
}

/** How many of the values that were received have come to their end, whichever. */
export function settledOf(counters: ValueCounters): number {
  const { valuesWritten, valuesAlreadyThere, valuesBackedUp, valuesRejected, valuesDropped, valuesFiltered } = counters;
  const kept = valuesWritten + valuesAlreadyThere + valuesBackedUp + valuesRejected;
  return kept + valuesDropped + valuesFiltered;
}

/** Also of counters that were saved: a key that one of them does not know counts as 0, and other keys as nothing. */
export function sumOf(lanes: readonly Readonly<Partial<ValueCounters>>[]): ValueCounters {
  const sums = VALUE_KEYS.map((key) => [key, lanes.reduce((sum, lane) => sum + (lane[key] ?? 0), 0)] as const);
  return Object.fromEntries(sums) as unknown as ValueCounters;
}

/** Takes over what an earlier run has counted; what it did not know yet, and sums, stay as they are. */
export function restore(
  counters: MessageCounters | ValueCounters,
  saved: Readonly<Record<string, number>> | undefined,
): void {
  const isCount = (key: string): boolean => Object.getOwnPropertyDescriptor(counters, key)?.writable === true;
  Object.assign(counters, Object.fromEntries(Object.entries(saved ?? {}).filter(([key]) => isCount(key))));
}

/** The message counters themselves, with the sums of the lanes as they are whenever somebody looks. */
export function withSums(messages: MessageCounters, lanes: () => readonly ValueCounters[]): Counters {
  const sums = VALUE_KEYS.map((key) => {
    const get = (): number => lanes().reduce((sum, lane) => sum + lane[key], 0);
    return [key, { enumerable: true, get }] as const;
  });
  return Object.defineProperties(messages, Object.fromEntries(sums)) as Counters;
}
