/** A message as the broker delivered it, numbered, not yet decoded. */
export interface Message {
  /** Grows from message to message and never repeats, not after a restart either. A safe integer. */
  readonly number: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly receivedAtMs: number;
}

/** A message that was just received and that the broker waits for an answer to. */
export interface Delivery {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** The broker says that it sent this packet before. */
  readonly duplicate: boolean;
  /** Undefined at QoS 0. */
  readonly packetId: number | undefined;
  readonly receivedAtMs: number;
  /** Which connection to the broker delivered it: grows with each, within the process. */
  readonly connection: number;
  /** Call once, when the message is safe: the broker then forgets it. */
  acknowledge(): void;
}
