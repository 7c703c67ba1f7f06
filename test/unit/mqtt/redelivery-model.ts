import type { Delivery } from '../../../src/core/message.ts';
import { RedeliveryCheck, type RememberedMessage } from '../../../src/mqtt/redelivery.ts';

/** How a broker chooses packet ids: mosquitto counts up, others take the lowest that is free. */
export type IdPolicy = 'count up' | 'lowest free';

export interface ModelOptions {
  readonly idPolicy: IdPolicy;
  readonly maxPacketId: number;
  readonly maxInFlight: number;
  readonly window: number;
  readonly maxPayloadBytes: number;
}

export type ModelStep =
  | { readonly do: 'publish'; readonly payload: string }
  | { readonly do: 'send' | 'receive' | 'commit' | 'carry acks'; readonly count: number }
  | { readonly do: 'reconnect' | 'kill' | 'lose session' };

interface Published {
  /** What the check does not see: which message it truly is. */
  readonly identity: number;
  readonly payload: string;
}

interface InFlight extends Published {
  readonly packetId: number;
  isSent: boolean;
}

interface Stored extends RememberedMessage {
  readonly identity: number;
  isDurable: boolean;
}

interface PendingAck {
  readonly packetId: number;
  readonly stored: Stored;
}

/**
 * A broker, two wires and a bridge with a journal, as small as they can be.
 *
 * Either end may vanish at any step: what is on the wires is then lost, the bridge keeps what is durable, the broker what it had.
 * `violations` tells of each new message that was taken for an old one and of each redelivery of a stored one that was not recognised.
 */
export class RedeliveryModel {
  readonly violations: string[] = [];
  recognised = 0;
  readonly #options: ModelOptions;
  #check: RedeliveryCheck;
  #published = 0;
  #queue: Published[] = [];
  #inFlight: InFlight[] = [];
  #lastPacketId = 0;
  #toBridge: { readonly message: InFlight; readonly duplicate: boolean }[] = [];
  #toResend: InFlight[] = [];
  #toBroker: number[] = [];
  #connection = 1;
  #journal: Stored[] = [];
  #lastNumber = 0;
  /** Messages of the journal up to this number are of a session that the broker has lost. */
  #lastOfOldSession = 0;
  #unacknowledged: PendingAck[] = [];

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#check = new RedeliveryCheck(options);
  }

  run(step: ModelStep): void {
    if (step.do === 'publish') {
      this.#published += 1;
      this.#queue.push({ identity: this.#published, payload: step.payload });
    } else if (step.do === 'send') {
      for (let i = 0; i < step.count; i += 1) this.#send();
    } else if (step.do === 'receive') {
      for (const { message, duplicate } of this.#toBridge.splice(0, step.count)) this.#receive(message, duplicate);
    } else if (step.do === 'commit') {
      for (const stored of this.#journal.filter(({ isDurable }) => !isDurable).slice(0, step.count)) {
        stored.isDurable = true;
      }
      this.#acknowledge();
    } else if (step.do === 'carry acks') {
      const acked = new Set(this.#toBroker.splice(0, step.count));
      this.#inFlight = this.#inFlight.filter(({ packetId }) => !acked.has(packetId));
    } else {
      this.#interrupt(step.do);
    }
  }

  #send(): void {
    const again = this.#toResend.shift();
    if (again !== undefined) {
      this.#toBridge.push({ message: again, duplicate: again.isSent });
      again.isSent = true;
      return;
    }
    if (this.#inFlight.length >= this.#options.maxInFlight) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    const message = { ...next, packetId: this.#freePacketId(), isSent: true };
    this.#inFlight.push(message);
    this.#toBridge.push({ message, duplicate: false });
  }

  #freePacketId(): number {
    const used = new Set(this.#inFlight.map(({ packetId }) => packetId));
    if (this.#options.idPolicy === 'lowest free') this.#lastPacketId = 0;
    do {
      this.#lastPacketId = (this.#lastPacketId % this.#options.maxPacketId) + 1;
    } while (used.has(this.#lastPacketId));
    return this.#lastPacketId;
  }

  #receive(message: InFlight, duplicate: boolean): void {
    const { packetId, identity } = message;
    const payload = Buffer.from(message.payload);
    const number = this.#check.match(deliveryOf({ packetId, payload, duplicate, connection: this.#connection }));
    const known = this.#journal.find((stored) => stored.identity === identity);
    if (number !== known?.number) {
      this.violations.push(
        number === undefined ? `message ${identity} stored twice` : `message ${identity} taken for another`,
      );
    }
    if (number !== undefined) this.recognised += 1;
    const stored =
      number === undefined ? this.#store(message, payload) : this.#journal.find((s) => s.number === number)!;
    this.#unacknowledged.push({ packetId, stored });
    this.#acknowledge();
  }

  #store({ identity, packetId }: InFlight, payload: Buffer): Stored {
    const number = (this.#lastNumber += 1);
    const stored = { identity, number, packetId, payload, topic: 't', connection: this.#connection, isDurable: false };
    this.#journal.push(stored);
    this.#check.remember(stored);
    return stored;
  }

  /** In the order of arrival. */
  #acknowledge(): void {
    while (this.#unacknowledged[0]?.stored.isDurable === true)
      this.#toBroker.push(this.#unacknowledged.shift()!.packetId);
  }

  #interrupt(how: 'reconnect' | 'kill' | 'lose session'): void {
    this.#connection += 1;
    this.#toBridge = [];
    this.#toBroker = [];
    this.#unacknowledged = [];
    if (how === 'kill') {
      this.#journal = this.#journal.filter(({ isDurable }) => isDurable);
      this.#check = new RedeliveryCheck(this.#options);
      for (const stored of this.#journal) if (stored.number > this.#lastOfOldSession) this.#check.remember(stored);
    }
    if (how === 'lose session') {
      this.#inFlight = [];
      this.#queue = [];
      this.#lastPacketId = 0;
      this.#check.forget();
      this.#lastOfOldSession = this.#lastNumber;
    }
    this.#toResend = [...this.#inFlight];
  }
}

export function deliveryOf(
  fields: Pick<Delivery, 'packetId' | 'payload' | 'duplicate' | 'connection'> & { readonly topic?: string },
): Delivery {
  return { topic: 't', qos: 1, retain: false, receivedAtMs: 0, acknowledge: () => {}, ...fields };
}
