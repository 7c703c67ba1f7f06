import type { Delivery } from './core/message.ts';
import type { Journal, JournalRecord, SessionKnowledge } from './journal/journal.ts';
import type { AckMark } from './mqtt/acks/ack-proofs.ts';
import { STATES } from './mqtt/redelivery/recent-deliveries.ts';
import { RedeliveryCheck, type SessionManners, type Verdict } from './mqtt/redelivery/redelivery.ts';

export interface BrokerSessionOptions {
  readonly journal: Pick<Journal, 'beginSession' | 'judgeQos2'>;
  /** More messages than the broker has in flight at once. */
  readonly maxInFlight: number;
  /** Whether every value of such a message has a time of its own. */
  readonly hasOwnTime: (topic: string, payload: Buffer) => boolean;
}

/**
 * What is known of the broker's present session: what it may deliver again, and up to where it has the
 * acknowledgements.
 *
 * - QoS 0: nothing is delivered again.
 * - QoS 1: a delivery is a repetition by its content, beside what became of the equal delivery before it
 *   (mqtt/redelivery/redelivery.ts).
 * - QoS 2: it is one by its packet id, which the journal holds until the release (journal/held-packet-ids.ts). There
 *   are brokers that send again what was released (aedes): so under an id that is not held, a content with a time makes
 *   it a repetition as at QoS 1.
 */
export class BrokerSession {
  readonly #journal: BrokerSessionOptions['journal'];
  readonly #hasOwnTime: BrokerSessionOptions['hasOwnTime'];
  readonly #redelivery: RedeliveryCheck;
  /** The broker has the acknowledgements of the session's messages up to this number. */
  #acknowledgedThrough = 0;

  constructor({ journal, maxInFlight, hasOwnTime }: BrokerSessionOptions) {
    this.#journal = journal;
    this.#hasOwnTime = hasOwnTime;
    this.#redelivery = new RedeliveryCheck({ maxInFlight, hasOwnTime });
  }

  /** What the next start has to know. */
  get knowledge(): SessionKnowledge {
    return { acknowledgedThrough: this.#acknowledgedThrough, ...this.#redelivery.manners };
  }

  /**
   * What an earlier process knew, and the session's messages in the order of their arrival. To be called before the
   * first delivery.
   */
  resume(known: SessionKnowledge | undefined, records: readonly JournalRecord[]): void {
    this.#acknowledgedThrough = known?.acknowledgedThrough ?? 0;
    if (known !== undefined) this.#redelivery.resume(known);
    // The connections of this process are counted from 0: all that is recalled came with earlier ones.
    const after = (records.at(-1)?.connection ?? 0) + 1;
    for (const record of records) {
      const recalled = { ...record, connection: record.connection - after };
      const isMatched = record.qos < 2 || this.#hasOwnTime(record.topic, record.payload);
      const state = isMatched ? STATES.live : STATES.replaced;
      this.#redelivery.recall(recalled, record.number <= this.#acknowledgedThrough, state);
    }
  }

  /** Judges each delivery once, in the order of arrival. */
  judge(delivery: Delivery): Verdict {
    if (delivery.qos === 0) return 'new';
    if (delivery.qos === 1) return this.#redelivery.take(delivery);
    return this.#judgeQos2(delivery);
  }

  /** PUBACKs up to that of the delivery with this ordinal are on the wire, or were given up with their connection. */
  written(ordinal: number): void {
    this.#redelivery.written(ordinal);
  }

  /** The broker has the acknowledgements up to this one. */
  proven({ messageNo, ordinal }: AckMark): void {
    this.#redelivery.confirmed(ordinal);
    // What an earlier connection brought, and what came again of it, has a lower number and may lack an
    // acknowledgement.
    if (this.#redelivery.isInDoubt) return;
    this.#acknowledgedThrough = Math.max(this.#acknowledgedThrough, messageNo);
  }

  /** The broker has begun a new session with this connection: nothing that an earlier session delivered comes again. */
  begin(connection: number): void {
    this.#redelivery.forget();
    this.#journal.beginSession(connection);
  }

  /** The broker is known for these manners. */
  learn(manners: SessionManners): void {
    this.#redelivery.resume(manners);
  }

  #judgeQos2(delivery: Delivery): Verdict {
    const { payload, topic } = delivery;
    const hasOwnTime = (): boolean => this.#hasOwnTime(topic, payload);
    const marking = this.#redelivery.markingOf(delivery);
    const { verdict: byId, heldAs } = this.#journal.judgeQos2(delivery, marking, hasOwnTime);
    // What the journal holds of a message whose record is gone is matched by nothing: an equal one's record is for that
    // one.
    const isForgotten = heldAs !== undefined && !this.#redelivery.remembers(heldAs, topic, payload);
    if (isForgotten || !hasOwnTime()) {
      this.#redelivery.note(delivery, byId === 'new');
      return byId;
    }
    const byContent = this.#redelivery.take(delivery);
    return byId === 'new' && byContent === 'repeated' ? 'repeated' : byId;
  }
}
