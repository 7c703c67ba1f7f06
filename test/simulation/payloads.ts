import type { Random } from './random.ts';
import { POISON_TEXT, REFUSED_TEXT, rowIdentity, UNTIMED_NAME } from './sim-statements.ts';

/** Where a value has to end up. */
export interface ExpectedValue {
  readonly identity: string;
  readonly place: 'table' | 'rejected';
}

/** A message to be published, and what has to come of it. */
export interface Payload {
  readonly topic: string;
  readonly bytes: Buffer;
  /** Undefined: it can't be decoded, and has to be in the undecodable CSV. */
  readonly values: readonly ExpectedValue[] | undefined;
  /** All of its values have a time of their own: what comes again of it is known by its bytes, on every broker. */
  readonly hasOwnTime: boolean;
}

export const SUBSCRIPTIONS = [
  { topic: 'plant/+', qos: 1, format: 'polling', plcCode: '{2}', tagAddress: '' },
  { topic: 'state/+', qos: 1, format: 'scalar', plcCode: '{1}', tagAddress: '{2}' },
  {
    topic: 'spBv1.0/#',
    qos: 1,
    format: 'sparkplugB',
    plcCode: '',
    tagAddress: '',
    sparkplug: {
      hostId: '',
      rebirth: true,
      reorderTimeoutMs: 100,
      staleRows: false,
      timestamp: 'metric',
      quality: 'sparkplug',
    },
  },
] as const;

const BASE_MS = Date.UTC(2025, 10, 2, 8);

/** Shares of the unusual values. */
export interface PayloadMix {
  readonly undecodable: number;
  readonly empty: number;
  readonly refused: number;
  readonly poison: number;
  readonly badTime: number;
  /** Messages of one value without a time, which are often equal. */
  readonly untimed: number;
}

/** Makes messages of 0 to 5 values, each value another one than all before, and messages without a time. */
export class Payloads {
  readonly #random: Random;
  readonly #mix: PayloadMix;
  #count = 0;

  constructor(random: Random, mix: PayloadMix) {
    this.#random = random;
    this.#mix = mix;
  }

  next(): Payload {
    const random = this.#random;
    if (random.chance(this.#mix.untimed)) return this.#untimed();
    const plc = `P${random.int(1, 3)}`;
    if (random.chance(this.#mix.undecodable)) return this.#undecodable(plc);
    this.#count += 1;
    const timeMs = BASE_MS + this.#count * 1000;
    const values: ExpectedValue[] = [];
    const tags: Record<string, unknown> = {};
    const count = random.chance(this.#mix.empty) ? 0 : random.int(1, 5);
    for (let i = 0; i < count; i += 1) this.#addValue(`${plc}.T${i}`, `T${i}`, timeMs, tags, values);
    const document = { timestamp: new Date(timeMs).toISOString(), tag_values: tags };
    const hasOwnTime = values.length > 0 && values.every(({ identity }) => !identity.endsWith('|NaN'));
    return { topic: `plant/${plc}`, bytes: Buffer.from(JSON.stringify(document)), values, hasOwnTime };
  }

  #untimed(): Payload {
    const tag = `S${this.#random.int(1, 2)}`;
    const value = this.#random.int(0, 1);
    const identity = rowIdentity(`${UNTIMED_NAME}${tag}`, value, null, 0);
    const values = [{ identity, place: 'table' as const }];
    return { topic: `state/${tag}`, bytes: Buffer.from(String(value)), values, hasOwnTime: false };
  }

  #undecodable(plc: string): Payload {
    this.#count += 1;
    const hasRoute = this.#random.chance(0.5);
    const topic = hasRoute ? `plant/${plc}` : 'elsewhere';
    return { topic, bytes: Buffer.from(`not json ${this.#count}`), values: undefined, hasOwnTime: false };
  }

  #addValue(name: string, key: string, timeMs: number, tags: Record<string, unknown>, to: ExpectedValue[]): void {
    const random = this.#random;
    const { refused, poison, badTime } = this.#mix;
    this.#count += 1;
    const number = this.#count;
    const kind = random.next();
    if (kind < refused) {
      const text = `${REFUSED_TEXT} ${number}`;
      tags[key] = text;
      to.push({ identity: rowIdentity(name, null, text, timeMs), place: 'rejected' });
    } else if (kind < refused + poison) {
      const text = `${POISON_TEXT} ${number}`;
      tags[key] = text;
      to.push({ identity: rowIdentity(name, null, text, timeMs), place: 'rejected' });
    } else if (kind < refused + poison + badTime) {
      tags[key] = { value: number, timestamp: 'some day' };
      to.push({ identity: rowIdentity(name, number, null, Number.NaN), place: 'rejected' });
    } else if (random.chance(0.2)) {
      const text = `text "${number}",\r\n`;
      tags[key] = text;
      to.push({ identity: rowIdentity(name, null, text, timeMs), place: 'table' });
    } else {
      tags[key] = number;
      to.push({ identity: rowIdentity(name, number, null, timeMs), place: 'table' });
    }
  }
}
