import type { IConnackPacket } from 'mqtt';

/** What the broker of a connection takes of what is published, as its CONNACK says [MQTT 5.0 section 3.2.2.3]. */
export interface PublishLimits {
  readonly maxPacketBytes: number;
  readonly maxQos: 0 | 1;
  /** It keeps retained messages. */
  readonly retains: boolean;
}

/** What a broker takes that says nothing, as all of MQTT 3.1.1 do: a packet as large as there can be. */
export const NO_LIMITS: PublishLimits = { maxPacketBytes: 268_435_460, maxQos: 1, retains: true };

export function limitsOf({ properties }: IConnackPacket): PublishLimits {
  const { maximumPacketSize, maximumQoS, retainAvailable } = properties ?? {};
  return {
    maxPacketBytes: maximumPacketSize ?? NO_LIMITS.maxPacketBytes,
    maxQos: maximumQoS === 0 ? 0 : 1,
    retains: retainAvailable !== false,
  };
}

/** The most that a fixed header, the topic's length, a packet id and the length of no properties take. */
const OVERHEAD_BYTES = 5 + 2 + 2 + 1;

/** How large a PUBLISH with this topic and payload is, at most [MQTT 5.0 section 3.3]. */
export function publishBytes(topic: string, payload: string | Buffer): number {
  return OVERHEAD_BYTES + Buffer.byteLength(topic) + Buffer.byteLength(payload);
}
