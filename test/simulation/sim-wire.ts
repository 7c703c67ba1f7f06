import type { Delivery, Release } from '../../src/core/message.ts';
import { AckProofs } from '../../src/mqtt/acks/ack-proofs.ts';
import type { Intake } from '../../src/mqtt/acks/deferred-acks.ts';
import type { Random } from './random.ts';
import type { SimBroker, SimMessage } from './sim-broker.ts';
import type { Life } from './sim-clock.ts';

/** What the bridge does with what it gets. */
export interface WireIntake extends Intake {
  /** Before the first delivery of each connection; subscribes when it resolves, throws when it never will. */
  connected(sessionPresent: boolean): Promise<void>;
  disconnected(): void;
}

interface Waiting {
  readonly packetId: number;
  readonly delivery: Pick<Delivery, 'ordinal'> | undefined;
  messageNo: number;
  isAcknowledged: boolean;
  isWithheld: boolean;
}

const WIRE_MS = [0.05, 2] as const;

/**
 * One connection: the wire, and the part of the MQTT client that keeps answers in the order of arrival [MQTT-4.6.0-2]
 * and has them proven by the real AckProofs.
 */
export class SimWire {
  hasDelivered = false;
  #isOver = false;
  readonly #broker: SimBroker;
  readonly #life: Life;
  readonly #number: number;
  readonly #intake: WireIntake;
  readonly #random: Random;
  readonly #proofs: AckProofs;
  /** In order of arrival. */
  readonly #waiting: Waiting[] = [];
  #arrivesAtMs = 0;
  #answersAtMs = 0;
  /** On the wire to the broker: what each does there. */
  readonly #answers: (() => void)[] = [];

  constructor(
    broker: SimBroker,
    life: Life,
    { number, proofIntervalMs }: { readonly number: number; readonly proofIntervalMs: number },
    intake: WireIntake,
    random: Random,
  ) {
    this.#broker = broker;
    this.#life = life;
    this.#number = number;
    this.#intake = intake;
    this.#random = random;
    this.#proofs = new AckProofs({
      clock: life,
      ping: () => this.#ping(),
      onProven: (mark) => intake.proven(mark),
      intervalMs: proofIntervalMs,
    });
  }

  deliver(message: SimMessage, packetId: number | undefined, duplicate: boolean): void {
    this.hasDelivered = true;
    this.toBridge(() => {
      message.atBridgeMs = this.#broker.nowMs;
      let waiting: Waiting | undefined;
      const delivery: Delivery = {
        topic: message.topic,
        payload: message.payload,
        qos: message.qos,
        retain: false,
        duplicate,
        packetId,
        receivedAtMs: this.#life.now(),
        connection: this.#number,
        ordinal: 0,
        withhold: () => {
          if (waiting !== undefined) waiting.isWithheld = message.qos === 1;
        },
        acknowledge: (messageNo = 0) => {
          if (this.#life.isOver) return;
          message.atBridgeMs = this.#broker.nowMs;
          if (waiting === undefined) message.state = 'acknowledged';
          else this.#acknowledge(waiting, messageNo);
        },
      };
      if (packetId !== undefined) waiting = this.#wait(packetId, delivery);
      this.#intake.receive(delivery);
    });
  }

  /** PUBREL. */
  release(packetId: number): void {
    this.toBridge(() => {
      const waiting = this.#wait(packetId, undefined);
      const release: Release = {
        packetId,
        connection: this.#number,
        acknowledge: () => {
          if (!this.#life.isOver) this.#acknowledge(waiting, 0);
        },
      };
      this.#intake.release(release);
    });
  }

  /** In order, after the time that the wire takes; never once the connection is over. */
  toBridge(arrive: () => void): void {
    // Packets that were sent together mostly arrive together.
    const { nowMs } = this.#broker;
    const travelMs = this.#random.chance(0.5) ? 0 : this.#wireMs();
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, nowMs) + travelMs;
    this.#broker.schedule(this.#arrivesAtMs - nowMs, () => {
      if (!this.#isOver && !this.#life.isOver) arrive();
    });
  }

  /** Of what was sent back, the beginning may still arrive. */
  end(): void {
    this.#isOver = true;
    const arriving = this.#random.int(0, this.#answers.length);
    for (const arrive of this.#answers.splice(0).slice(0, arriving)) arrive();
    this.#proofs.closed();
    this.#intake.disconnected();
  }

  #wait(packetId: number, delivery: Delivery | undefined): Waiting {
    const waiting = { packetId, delivery, messageNo: 0, isAcknowledged: false, isWithheld: false };
    this.#waiting.push(waiting);
    return waiting;
  }

  #acknowledge(waiting: Waiting, messageNo: number): void {
    waiting.isAcknowledged = true;
    waiting.messageNo = messageNo;
    this.#sendAnswers();
  }

  #sendAnswers(): void {
    if (this.#isOver) return;
    while (this.#waiting[0]?.isAcknowledged === true) {
      const { delivery, isWithheld, messageNo, packetId } = this.#waiting.shift()!;
      const ordinal = delivery?.ordinal ?? 0;
      // What waits without a delivery is a PUBREL.
      if (!isWithheld) this.#toBroker(() => this.#broker.answered(packetId, delivery === undefined));
      this.#intake.written(ordinal);
      this.#proofs.wrote(ordinal, messageNo);
    }
  }

  #ping(): void {
    if (this.#isOver) return;
    this.#proofs.pinged();
    this.#toBroker(() => this.toBridge(() => this.#proofs.answered()));
  }

  #toBroker(arrive: () => void): void {
    this.#answers.push(arrive);
    const { nowMs } = this.#broker;
    this.#answersAtMs = Math.max(this.#answersAtMs, nowMs + this.#wireMs());
    this.#broker.schedule(this.#answersAtMs - nowMs, () => {
      if (!this.#isOver) this.#answers.shift()!();
    });
  }

  #wireMs(): number {
    return this.#random.between(...WIRE_MS);
  }
}
