import type { IPublishPacket } from 'mqtt';

import type { Delivery } from '../core/message.ts';

/** Who wants to know that a delivery was acknowledged. */
export interface Settler {
  settle(delivery: HeldDelivery): void;
}

/** A message on its way through the bridge: the one object that is made for each. */
export class HeldDelivery implements Delivery {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly duplicate: boolean;
  readonly packetId: number | undefined;
  readonly receivedAtMs: number;
  /** The number of the connection that delivered it. */
  readonly connection: number;
  isAcknowledged = false;
  readonly #settler: Settler;

  constructor(settler: Settler, connection: number, packet: IPublishPacket, receivedAtMs: number) {
    this.topic = packet.topic;
    this.payload = packet.payload as Buffer; // what is received is never a string
    this.qos = packet.qos;
    this.retain = packet.retain;
    this.duplicate = packet.dup;
    this.packetId = packet.qos === 0 ? undefined : packet.messageId;
    this.receivedAtMs = receivedAtMs;
    this.connection = connection;
    this.#settler = settler;
  }

  acknowledge(): void {
    if (this.isAcknowledged) return;
    this.isAcknowledged = true;
    this.#settler.settle(this);
  }
}
