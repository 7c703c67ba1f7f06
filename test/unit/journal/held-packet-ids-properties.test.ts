import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';

import type { Delivery } from '../../../src/core/message.ts';
import { HeldPacketIds, type HeldPacketId } from '../../../src/journal/held-packet-ids.ts';
import { delivery } from './sample-journal.ts';

const hasTime = (): boolean => true;

interface SentMessage {
  readonly text: string;
  /** Undefined: not delivered on this connection yet. */
  packetId: number | undefined;
}

/**
 * A broker that gives every message that it holds any packet id on each connection, and delivers them in any order; a
 * journal that writes late or not at all; a process that is killed. Each message is another one, and has a time.
 */
class Model {
  held = new HeldPacketIds();
  /** What the broker holds: it knows of no PUBREC, or was not asked for its release yet. */
  readonly atBroker: SentMessage[] = [];
  /** Taken for repetitions, and neither in the journal nor on the way there. */
  readonly hidden: string[] = [];
  /** Given to the journal and not written, oldest first. */
  queue: Delivery[] = [];
  readonly journal: { readonly packetId: number; readonly record: Delivery | undefined }[] = [];
  checkpoint: { through: number; ids: readonly HeldPacketId[] } = { through: 0, ids: [] };
  #connection = 0;
  #published = 0;

  publish(): void {
    this.#published += 1;
    this.atBroker.push({ text: `message ${this.#published}`, packetId: undefined });
  }

  connect(): void {
    this.#connection += 1;
    for (const message of this.atBroker) message.packetId = undefined;
  }

  deliver(which: number, asId: number): void {
    const open = this.atBroker.filter(({ packetId }) => packetId === undefined);
    const message = open[which % Math.max(1, open.length)];
    const used = new Set(this.atBroker.map(({ packetId }) => packetId));
    const free = [1, 2, 3, 4, 5, 6, 7, 8].filter((id) => !used.has(id));
    if (message === undefined || free.length === 0) return;
    message.packetId = free[asId % free.length]!;
    const sent = delivery(message.text, [], { qos: 2, packetId: message.packetId, connection: this.#connection });
    if (this.held.judge(sent, 'marked', hasTime).verdict === 'new') {
      this.held.begin(sent);
      this.queue.push(sent);
    } else if (!this.#isTaken(message.text)) {
      this.hidden.push(message.text);
    }
  }

  /** The oldest that waits is written. */
  write(): void {
    const next = this.queue.shift();
    if (next === undefined) return;
    this.journal.push({ packetId: next.packetId!, record: next });
    this.held.stored(next.packetId!, next, this.journal.length);
  }

  /** The broker has the PUBREC of what is written, and releases it. */
  release(which: number): void {
    const written = this.atBroker.filter(({ packetId, text }) => packetId !== undefined && this.#isWritten(text));
    const message = written[which % Math.max(1, written.length)];
    if (message === undefined) return;
    this.held.heardOf(message.packetId!);
    this.journal.push({ packetId: message.packetId!, record: undefined });
    this.held.released(message.packetId!);
    this.atBroker.splice(this.atBroker.indexOf(message), 1);
  }

  save(): void {
    this.checkpoint = { through: this.journal.length, ids: this.held.durable };
  }

  kill(): void {
    this.queue = [];
    this.held = new HeldPacketIds();
    this.held.restore(this.checkpoint.ids);
    for (const [i, { packetId, record }] of this.journal.entries()) {
      if (i < this.checkpoint.through) continue;
      if (record === undefined) this.held.released(packetId);
      else this.held.stored(packetId, delivery(record.payload.toString(), [], record), i + 1);
    }
    this.connect();
  }

  #isWritten(text: string): boolean {
    return this.journal.some(({ record }) => record?.payload.toString() === text);
  }

  #isTaken(text: string): boolean {
    return this.#isWritten(text) || this.queue.some(({ payload }) => payload.toString() === text);
  }
}

const nat = fc.nat(7);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant((model: Model) => model.publish()) },
  {
    weight: 6,
    arbitrary: fc.tuple(nat, nat).map(
      ([which, id]) =>
        (model: Model) =>
          model.deliver(which, id),
    ),
  },
  { weight: 2, arbitrary: fc.constant((model: Model) => model.write()) },
  { weight: 1, arbitrary: nat.map((which) => (model: Model) => model.release(which)) },
  { weight: 2, arbitrary: fc.constant((model: Model) => model.connect()) },
  { weight: 1, arbitrary: fc.constant((model: Model) => model.save()) },
  { weight: 1, arbitrary: fc.constant((model: Model) => model.kill()) },
);

describe('packet ids of QoS 2, of a broker that gives other ones on each connection', () => {
  it('hide no message that is neither in the journal nor on its way there', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
        const model = new Model();
        for (const each of steps) each(model);
        expect(model.hidden).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });
});
