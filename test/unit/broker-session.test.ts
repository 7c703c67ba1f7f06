import { describe, expect, it } from 'vitest';

import { BrokerSession } from '../../src/broker-session.ts';
import type { Delivery } from '../../src/core/message.ts';
import { HeldPacketIds } from '../../src/journal/held-packet-ids.ts';
import { deliveryOf } from './mqtt/redelivery-model.ts';

describe('a message at QoS 2 that is held, and an equal one at QoS 1', () => {
  /** Three equal messages with a time, of which the first one's segment is gone: only its packet id is known. */
  function after(...recalled: readonly number[]): BrokerSession {
    const held = new HeldPacketIds();
    held.stored(1, at(1, 2), 1);
    const journal = {
      judgeQos2: (...asked: Parameters<HeldPacketIds['judge']>) => held.judge(...asked),
      beginSession: () => {},
    };
    const session = new BrokerSession({ journal, maxInFlight: 10, hasOwnTime: () => true });
    const records = recalled.map((packetId) => {
      const { connection, payload, topic, qos, duplicate } = at(packetId, packetId === 1 ? 2 : 1);
      return {
        number: packetId,
        connection,
        payload,
        topic,
        qos,
        duplicate,
        packetId,
        receivedAtMs: 0,
        isRelease: false,
        retained: false,
      };
    });
    session.resume(undefined, records);
    return session;
  }

  function at(packetId: number, qos: 1 | 2): Delivery {
    return deliveryOf({ packetId, qos, duplicate: true, connection: 0, payload: Buffer.from('{}') });
  }

  it.each([
    ['its record was removed', [2, 3]],
    ['its record is there', [1, 2, 3]],
  ])('are each known again: %s', (_what, recalled) => {
    const session = after(...recalled);
    const verdicts = [at(1, 2), at(2, 1), at(3, 1)].map((delivery) => session.judge(delivery));
    expect(verdicts).toEqual(['repeated', 'repeated', 'repeated']);
    expect(session.judge({ ...at(4, 1), duplicate: false })).toBe('new');
  });

  it('are each known again where the broker gives other ids to what comes again', () => {
    const session = after(2, 3);
    const verdicts = [at(11, 2), at(12, 1), at(13, 1)].map((delivery) => session.judge(delivery));
    expect(verdicts).toEqual(['repeated', 'repeated', 'repeated']);
  });
});
