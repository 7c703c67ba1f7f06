import mqtt, { type MqttClient } from 'mqtt';

import { isUndecodable, SoakLedger } from './soak-ledger.ts';

const EVERY_MS = 20;
const RECONNECT_MS = 200;
const TOPIC = 'plc/P/tags';
/** A broker that says nothing is not to be filled up: beyond so many nothing new is published. */
const MAX_UNACKNOWLEDGED = 2000;

/** How a message differs from the usual ones. */
export interface Dress {
  readonly topic?: string;
  readonly retain?: boolean;
  /** Its payload, which must still be read as the same values. */
  readonly dressed?: (payload: string) => string;
}

const plain = (payload: string): string => payload;

/**
 * A plant that publishes at a steady rate, for as long as there is a broker, and never publishes anything twice: what a
 * broker that went away has not acknowledged stays as it is, so that every second copy is the bridge's doing.
 */
export class SteadyPublisher {
  readonly ledger = new SoakLedger();
  readonly #url: string;
  readonly #valuesPerSecond: number;
  /** Nothing new is published. */
  isHeld = false;
  /** Messages that the broker has acknowledged, on all connections. */
  acknowledged = 0;
  #client: MqttClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #isStopped = false;
  #unacknowledged = 0;
  #due = 0;
  #tickedAtMs = 0;

  constructor(url: string, valuesPerSecond: number) {
    this.#url = url;
    this.#valuesPerSecond = valuesPerSecond;
  }

  /** Messages that the broker has not acknowledged yet, on the present connection. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Connects, and publishes from now on; once is enough. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#connect();
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), EVERY_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#reconnect);
    await this.#client?.endAsync(true);
  }

  /**
   * One message that can be decoded, now; its number, or undefined while there is no broker. `isOwed`: false where the
   * broker may well acknowledge it without having anyone to give it to.
   */
  publishOne(isOwed = true, dress: Dress = {}): number | undefined {
    if (this.#client?.connected !== true) return undefined;
    if (isUndecodable(this.ledger.messages)) this.ledger.next(Date.now()); // a number that nobody publishes
    return this.#publish(isOwed, dress);
  }

  #connect(): void {
    // A keep-alive would give up a broker that is only paused, and what it had acknowledged but not said.
    const client = mqtt.connect(this.#url, { reconnectPeriod: 0, protocolVersion: 4, keepalive: 0 });
    this.#client = client;
    this.#unacknowledged = 0;
    client.on('error', () => {});
    client.once('close', () => {
      client.end(true);
      if (this.#client !== client || this.#isStopped) return;
      this.#reconnect = setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  #tick(): void {
    const nowMs = performance.now();
    const due = ((nowMs - this.#tickedAtMs) / 1000) * this.#valuesPerSecond;
    this.#tickedAtMs = nowMs;
    // What could not be published meanwhile is not made up for: PLCs do not either.
    if (this.#client?.connected !== true || this.isHeld || this.#unacknowledged > MAX_UNACKNOWLEDGED) return;
    this.#due += due;
    for (; this.#due >= SoakLedger.valuesPerMessage; this.#due -= SoakLedger.valuesPerMessage) this.#publish(true);
  }

  #publish(isOwed: boolean, { dressed = plain, retain = false, topic = TOPIC }: Dress = {}): number {
    const client = this.#client!;
    const { number, payload } = this.ledger.next(Date.now());
    this.#unacknowledged += 1;
    client.publish(topic, dressed(payload), { qos: 1, retain }, (error) => {
      if (this.#client === client) this.#unacknowledged -= 1;
      if (error) return;
      this.acknowledged += 1;
      if (isOwed) this.ledger.acknowledge(number);
    });
    return number;
  }
}
