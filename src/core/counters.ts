/**
 * What became of messages and values since the start. Plain numbers, added to once a batch, read by the status and the
 * metrics. A message is counted once, as what it was when it was first read: one that was undecodable and is read again
 * when its file is replayed stays so, whatever it is then. Its values are received then.
 */
export interface Counters {
  messagesReceived: number;
  messagesUndecodable: number;
  /**
   * No values for their subscription: of another kind, empty, or retained ones that are stored already or not wanted.
   */
  messagesSkipped: number;
  messagesDuplicate: number;
  /** Stored though they may be repetitions: without a time of their own nobody can tell. */
  messagesMaybeRepeated: number;
  valuesReceived: number;
  valuesWritten: number;
  valuesBackedUp: number;
  valuesReplayed: number;
  valuesRejected: number;
  valuesDropped: number;
  /** Left out by the filters of their subscription. */
  valuesFiltered: number;
}

export function createCounters(): Counters {
  return {
    messagesReceived: 0,
    messagesUndecodable: 0,
    messagesSkipped: 0,
    messagesDuplicate: 0,
    messagesMaybeRepeated: 0,
    valuesReceived: 0,
    valuesWritten: 0,
    valuesBackedUp: 0,
    valuesReplayed: 0,
    valuesRejected: 0,
    valuesDropped: 0,
    valuesFiltered: 0,
  };
}
