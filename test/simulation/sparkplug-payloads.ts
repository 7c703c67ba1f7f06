import { sparkplugPayload, type MetricParts } from '../support/sparkplug-encoder.ts';
import type { Payload } from './payloads.ts';
import type { Random } from './random.ts';

const BASE_MS = Date.UTC(2025, 10, 2, 8);
const INT32 = 3;
const UINT8 = 5;
const JSON_BEGINNING = 0x7b;

interface Node {
  readonly name: string;
  bdSeq: number;
  seq: number;
  /** What each alias means, of the node (empty) and of its devices. */
  readonly metrics: Map<string, readonly string[]>;
}

/**
 * Makes messages of two edge nodes with a device each: births that give aliases other meanings and types each time,
 * data that say nothing but the alias, deaths, payloads that are none. What comes of each depends on what was stored
 * before it: a decoder that never crashes tells (reference-decoder.ts).
 */
export class SparkplugPayloads {
  readonly #random: Random;
  readonly #nodes: readonly Node[];
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#nodes = ['N1', 'N2'].map((name) => ({ name, bdSeq: 0, seq: 0, metrics: new Map() }));
  }

  next(): Payload {
    const random = this.#random;
    const node = random.pick(this.#nodes);
    const device = random.pick(['', 'D']);
    this.#count += 1;
    const kind = random.next();
    if (kind < 0.15) return this.#birth(node, device);
    if (kind < 0.2) return this.#death(node);
    if (kind < 0.23) return this.#message(node, device, 'DATA', Buffer.from(`{"not": "sparkplug ${this.#count}"}`));
    return this.#data(node, device);
  }

  #birth(node: Node, device: string): Payload {
    const random = this.#random;
    const names = Array.from({ length: random.int(1, 3) }, () => `m${random.int(1, 5)}`);
    node.metrics.set(device, names);
    if (device === '') {
      node.seq = -1;
      node.bdSeq += 1;
      node.metrics.delete('D');
    }
    const type = random.pick([INT32, UINT8]);
    const metrics: MetricParts[] = names.map((name, alias) => ({ name, alias, type, int: this.#count }));
    const bdSeq = { name: 'bdSeq', type: 8, long: node.bdSeq };
    return this.#encode(node, device, 'BIRTH', device === '' ? [bdSeq, ...metrics] : metrics);
  }

  #data(node: Node, device: string): Payload {
    const random = this.#random;
    const known = node.metrics.get(device)?.length ?? 1;
    const alias = random.chance(0.05) ? 9 : random.int(0, known - 1);
    if (random.chance(0.05)) node.seq += 1;
    return this.#encode(node, device, 'DATA', [{ alias, int: 1000 + this.#count }]);
  }

  #death(node: Node): Payload {
    const bdSeq = this.#random.chance(0.5) ? node.bdSeq : node.bdSeq + 1;
    return this.#encode(node, '', 'DEATH', [{ name: 'bdSeq', type: 8, long: bdSeq }]);
  }

  #encode(node: Node, device: string, what: string, metrics: readonly MetricParts[]): Payload {
    node.seq = (node.seq + 1) % 256;
    const timeMs = BASE_MS + this.#count * 1000;
    return this.#message(node, device, what, sparkplugPayload({ timeMs, seq: node.seq, metrics }));
  }

  #message(node: Node, device: string, what: string, bytes: Buffer): Payload {
    const topic = device === '' ? `spBv1.0/G/N${what}/${node.name}` : `spBv1.0/G/D${what}/${node.name}/${device}`;
    // Until the reference has read it.
    return { topic, bytes, values: [], hasOwnTime: what !== 'DEATH' && bytes[0] !== JSON_BEGINNING };
  }
}
