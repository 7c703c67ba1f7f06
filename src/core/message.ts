/** A message as the broker delivered it, numbered, not yet decoded. */
export interface Message {
  /** Grows from message to message and never repeats, not after a restart either. A safe integer. */
  readonly number: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly receivedAtMs: number;
  /**
   * The broker had kept it, and sent it because the bridge subscribed. What is published while the bridge listens is
   * not retained for it, whatever the publisher asked the broker for. Absent: not so.
   */
  readonly retained?: boolean;
}

/**
 * What became of a message that has no values for its subscription, and that is as it should be: it is of another kind,
 * or empty, or a retained one that is stored already.
 */
export const SKIPPED = 'skipped';

/** A message that was just received and that the broker waits for an answer to. */
export interface Delivery {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** The broker says that it sent this packet before. */
  readonly duplicate: boolean;
  /** The packet id of the delivery; undefined at QoS 0. */
  readonly packetId: number | undefined;
  readonly receivedAtMs: number;
  /** Which connection to the broker delivered it: grows with each, within the process. */
  readonly connection: number;
  /** Grows from delivery to delivery at QoS 1. Given by who judges whether it is a new message; 0 before. */
  ordinal: number;
  /** Another copy of it may be stored already. Given by who judges whether it is a new message; absent before. */
  isMaybeRepeated?: boolean;
  /** Of topic and payload, at QoS 2. Given by who first needs it, so that it is made once; undefined before. */
  digest?: string;
  /**
   * Call before `acknowledge` where the same message was acknowledged on this connection, or will be: no second answer
   * goes out, as the broker may take it for that of the next message under this packet id.
   */
  withhold(): void;
  /**
   * Call once, when the message is safe: the broker then forgets it. `messageNo`: the journal's number of it, where it
   * has a new one.
   */
  acknowledge(messageNo?: number): void;
}

/**
 * What a delivery shows of whether it came before: `marked`: it bears DUP, or the broker is known to keep ids, so that
 * the id says it; `unmarked`: the broker marks what comes again, and not this; `unknown`: it has marked nothing yet.
 */
export type Marking = 'marked' | 'unmarked' | 'unknown';

/** The broker's word that it will not send this packet id of QoS 2 again for the same message (PUBREL). */
export interface Release {
  readonly packetId: number;
  readonly connection: number;
  /** Call once, when the id is forgotten for good: the broker may then use it for another message. */
  acknowledge(): void;
}
