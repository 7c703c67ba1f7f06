import type { IPublishPacket } from 'mqtt';

import type { Delivery, Release } from '../../core/message.ts';

/** Who wants to know that an answer may go out. */
export interface Settler {
  settle(answerable: Answerable): void;
}

/** What the broker waits for an answer to. */
export interface Answerable {
  /** The first two bytes of the answer; 0: none is due. */
  readonly answer: number;
  /** It takes its turn among the answers, also where it has none of its own. */
  readonly isInTurn: boolean;
  readonly packetId: number | undefined;
  /** The number of the connection that it came on. */
  readonly connection: number;
  readonly isAcknowledged: boolean;
  /** The ordinal of a delivery; 0 for what has none. */
  readonly ordinal: number;
  readonly messageNo: number;
}

/**
 * PUBACK, PUBREC and PUBCOMP without reason code and properties, the same in MQTT 3.1.1 and 5 [sections 3.4, 3.5 and
 * 3.7].
 */
const PUBACK = 0x4002;
const PUBREC = 0x5002;
const PUBCOMP = 0x7002;
const ANSWERS = [0, PUBACK, PUBREC] as const;

/** A message on its way through the bridge: the one object that is made for each. */
export class HeldDelivery implements Delivery, Answerable {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly duplicate: boolean;
  readonly packetId: number | undefined;
  readonly receivedAtMs: number;
  readonly connection: number;
  ordinal = 0;
  messageNo = 0;
  isAcknowledged = false;
  #isWithheld = false;
  readonly #settler: Settler;

  /** `qos` is given as mqtt.js may have been shown another one. */
  constructor(settler: Settler, connection: number, packet: IPublishPacket, qos: 0 | 1 | 2, receivedAtMs: number) {
    this.topic = packet.topic;
    this.payload = packet.payload as Buffer; // what is received is never a string
    this.qos = qos;
    this.retain = packet.retain;
    this.duplicate = packet.dup;
    this.packetId = qos === 0 ? undefined : packet.messageId;
    this.receivedAtMs = receivedAtMs;
    this.connection = connection;
    this.#settler = settler;
  }

  get answer(): number {
    return this.#isWithheld ? 0 : ANSWERS[this.qos];
  }

  get isInTurn(): boolean {
    return this.qos > 0;
  }

  /** At QoS 2 an answer that comes twice is harmless: the id is not free before PUBCOMP. */
  withhold(): void {
    this.#isWithheld = this.qos === 1;
  }

  acknowledge(messageNo = 0): void {
    if (this.isAcknowledged) return;
    this.isAcknowledged = true;
    this.messageNo = messageNo;
    this.#settler.settle(this);
  }
}

/** A PUBREL that waits for its PUBCOMP. */
export class HeldRelease implements Release, Answerable {
  readonly answer = PUBCOMP;
  readonly isInTurn = true;
  readonly packetId: number;
  readonly connection: number;
  readonly ordinal = 0;
  readonly messageNo = 0;
  isAcknowledged = false;
  readonly #settler: Settler;

  constructor(settler: Settler, connection: number, packetId: number) {
    this.packetId = packetId;
    this.connection = connection;
    this.#settler = settler;
  }

  acknowledge(): void {
    if (this.isAcknowledged) return;
    this.isAcknowledged = true;
    this.#settler.settle(this);
  }
}
