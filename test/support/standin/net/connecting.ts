/**
 * The listener's part: takes CONNECT, with the descriptor in it or after it, and decides what becomes of the
 * connection.
 */
import type { Faults } from '../faults.ts';
import {
  acceptPacket,
  type ConnectRequest,
  descriptorValue,
  parseConnect,
  refusePacket,
  resendPacket,
} from './accept.ts';
import type { Profile } from './negotiation.ts';

const MIN_SDU = 512;
const UNKNOWN_SERVICE = 12_514;
const UNKNOWN_SID = 12_505;

export interface ConnectingContext {
  readonly profile: Profile;
  readonly serviceName: string;
  /** Bytes of a packet at most. */
  readonly sdu: number;
  /** Whether each client has to send its CONNECT twice. */
  readonly resend: boolean;
  readonly faults: Faults;
}

export interface ConnectReply {
  readonly packet: Buffer;
  readonly next: 'again' | 'accepted' | 'end' | 'freeze' | 'reset';
  readonly delayMs: number;
  readonly version: number;
  readonly sdu: number;
}

const nothing = { packet: Buffer.alloc(0), delayMs: 0, version: 0, sdu: 0 };

export class Connecting {
  readonly #context: ConnectingContext;
  #request: ConnectRequest | undefined;
  #descriptor = '';
  #resent = false;

  constructor(context: ConnectingContext) {
    this.#context = context;
  }

  /** Undefined while the descriptor is still to come. */
  connect(packet: Buffer): ConnectReply | undefined {
    this.#request = parseConnect(packet);
    this.#descriptor = '';
    return this.descriptor(this.#request.descriptor);
  }

  descriptor(text: string): ConnectReply | undefined {
    this.#descriptor += text;
    if (this.#request === undefined || this.#descriptor.length < this.#request.descriptorBytes) return undefined;
    if (this.#context.resend && !this.#resent) {
      this.#resent = true;
      return { ...nothing, packet: resendPacket(), next: 'again' };
    }
    return this.#decide(this.#request);
  }

  #decide(request: ConnectRequest): ConnectReply {
    const rules = this.#context.faults.take({ kind: 'connect' });
    const delayMs = Math.max(0, ...rules.map((rule) => rule.delayMs ?? 0));
    if (rules.some((rule) => rule.silent === true || rule.hang === true || rule.blackHole === true)) {
      return { ...nothing, next: 'freeze' };
    }
    if (rules.some((rule) => rule.reset !== undefined)) return { ...nothing, delayMs, next: 'reset' };
    const refusal = rules.find((rule) => rule.refuse !== undefined)?.refuse ?? this.#unknown();
    if (refusal !== undefined) return { ...nothing, delayMs, packet: refusePacket(refusal), next: 'end' };
    return this.#accept(request, delayMs);
  }

  /** There is one service, a pluggable database's, and those have no SID. */
  #unknown(): number | undefined {
    const asked = descriptorValue(this.#descriptor, 'SERVICE_NAME');
    if (asked === undefined && descriptorValue(this.#descriptor, 'SID') !== undefined) return UNKNOWN_SID;
    return asked?.toUpperCase() === this.#context.serviceName.toUpperCase() ? undefined : UNKNOWN_SERVICE;
  }

  #accept(request: ConnectRequest, delayMs: number): ConnectReply {
    const { profile } = this.#context;
    const version = Math.min(request.version, profile.version);
    const sdu = Math.max(MIN_SDU, Math.min(request.sdu, profile.maxSdu, this.#context.sdu));
    const packet = acceptPacket({
      version,
      sdu,
      servicesFlags: request.servicesFlags,
      fastLogin: profile.fastLogin,
    });
    return { packet, next: 'accepted', delayMs, version, sdu };
  }
}
