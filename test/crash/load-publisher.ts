import mqtt, { type MqttClient } from 'mqtt';

import type { Chance } from './chance.ts';

/** What the broker owes to the bridge. */
export interface Obligation {
  /** Stands in the tag name or, of a message that can't be decoded, in its payload: no two have the same. */
  readonly name: string;
  readonly kind: 'value' | 'refused value' | 'undecodable message';
  readonly value: number;
  readonly timeMs: number;
  /** The cycle in which it was published. */
  readonly cycle: number;
  /** The broker has acknowledged it. One that it has not may be there or not. */
  isOwed: boolean;
}

const EVERY_MS = 10;
const VALUES = 5;
const UNDECODABLE_SHARE = 0.01;
const REFUSED_SHARE = 0.02;
const TOPIC = 'plc/P/tags';
/** Longer than the column: the table refuses it, and nothing before the table does. */
const REFUSED_QUALITY = 'LONGER_THAN_THE_COLUMN';

/**
 * A PLC that never publishes anything twice: what a broker that went away has not acknowledged stays as it is, so that
 * every second copy in the end is the bridge's doing.
 */
export class LoadPublisher {
  readonly obligations = new Map<string, Obligation>();
  cycle = 0;
  /** Nothing new is published. */
  isHeld = false;
  readonly #url: string;
  readonly #chance: Chance;
  #client: MqttClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sequence = 0;
  #unacknowledged = 0;

  constructor(url: string, chance: Chance) {
    this.#url = url;
    this.#chance = chance;
  }

  /** Messages that the broker has not acknowledged yet, on the present connection. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  async connect(): Promise<void> {
    this.#unacknowledged = 0;
    const client = await mqtt.connectAsync(this.#url, { reconnectPeriod: 0, protocolVersion: 4 });
    client.on('error', () => {});
    this.#client = client;
    client.once('close', () => {
      if (this.#client === client) this.#client = undefined;
      client.end(true);
    });
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), EVERY_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async stop(): Promise<void> {
    this.pause();
    await this.#client?.endAsync(true);
  }

  /** One value that the broker acknowledges; its name. */
  async publishMarker(): Promise<string> {
    const marker = this.#obligation('M', 'value', Date.now());
    await this.#client?.publishAsync(TOPIC, payloadOf([marker], marker.timeMs), { qos: 1 });
    marker.isOwed = true;
    return marker.name;
  }

  #tick(): void {
    if (this.#client === undefined || this.isHeld) return;
    const timeMs = Date.now();
    if (this.#chance.next() < UNDECODABLE_SHARE) {
      const message = this.#obligation('U', 'undecodable message', timeMs);
      this.#publish(`{ ${message.name}`, [message]);
      return;
    }
    const values = Array.from({ length: VALUES }, () =>
      this.#chance.next() < REFUSED_SHARE
        ? this.#obligation('R', 'refused value', timeMs)
        : this.#obligation('V', 'value', timeMs),
    );
    this.#publish(payloadOf(values, timeMs), values);
  }

  #publish(payload: string, obligations: readonly Obligation[]): void {
    this.#unacknowledged += 1;
    this.#client?.publish(TOPIC, payload, { qos: 1 }, (error) => {
      if (error) return;
      this.#unacknowledged -= 1;
      for (const obligation of obligations) obligation.isOwed = true;
    });
  }

  #obligation(letter: string, kind: Obligation['kind'], timeMs: number): Obligation {
    this.#sequence += 1;
    const value = this.#sequence;
    const name = kind === 'undecodable message' ? `${letter}${value}` : `P.${letter}${value}`;
    const obligation = { name, kind, value, timeMs, cycle: this.cycle, isOwed: false };
    this.obligations.set(name, obligation);
    return obligation;
  }
}

/** The values of one message, each with the time of the message; the table refuses those that it shall. */
export function payloadOf(values: readonly Obligation[], timeMs: number): string {
  const tags = Object.fromEntries(
    values.map(({ kind, name, value }) => {
      return [name.slice(2), kind === 'refused value' ? { value, quality: REFUSED_QUALITY } : value];
    }),
  );
  return JSON.stringify({ plc_code: 'P', timestamp: timeMs, tag_values: tags });
}
