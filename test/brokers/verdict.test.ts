import { describe, expect, it } from 'vitest';

import { DeliveryLedger, type ConnectionNotes } from './delivery-ledger.ts';
import { PACKET } from './packets.ts';
import { payloadsOf } from './payloads.ts';
import { judge } from './verdict.ts';

const DUP = 8;

function deliver(connection: ConnectionNotes, packetIds: readonly number[], flags = 0): void {
  for (const packetId of packetIds) {
    const body = Buffer.from([0, 1, 0x74, 0, packetId, 0x31]);
    connection.delivered({ type: PACKET.publish, flags: 2 | flags, body, bytes: body });
  }
}

function acknowledge(connection: ConnectionNotes, packetIds: readonly number[]): void {
  for (const packetId of packetIds) {
    const body = Buffer.from([0, packetId]);
    connection.sent({ type: PACKET.puback, flags: 0, body, bytes: body });
  }
}

/** Five equal messages, of which the last two were under way when the connection broke, and two new ones after it. */
function broken(): { readonly ledger: DeliveryLedger; readonly after: ConnectionNotes } {
  const ledger = new DeliveryLedger('t');
  const session = ledger.session();
  const before = session.connection();
  deliver(before, [1, 2, 3, 4, 5]);
  acknowledge(before, [1, 2, 3]);
  return { ledger, after: session.connection() };
}

function lostOf(ledger: DeliveryLedger, rows: number, broker = {}): readonly [lost: number, byBroker: number] {
  const sent = { owed: new Set([1, 2, 3, 4, 5, 6, 7]), maybe: new Set<number>() };
  const row = { name: 'V1' } as never;
  const { lost, lostByBroker } = judge(
    sent,
    Array.from({ length: rows }, () => row),
    payloadsOf('equal', 'x'),
    ledger,
    broker,
  );
  return [lost, lostByBroker];
}

describe('the judge of equal payloads', () => {
  it('blames the broker for what was under way when it gave the packet id to another message', () => {
    const { ledger, after } = broken();
    deliver(after, [4, 5]);
    acknowledge(after, [4, 5, 4, 5]); // as many as are owed, which alone would clear the broker
    expect(lostOf(ledger, 5)).toEqual([2, 0]);
    expect(lostOf(ledger, 5, { overwritesInFlight: true })).toEqual([2, 2]);
    expect(lostOf(ledger, 4, { overwritesInFlight: true })).toEqual([3, 2]);
  });

  it('blames the bridge for what came again and is not in the table', () => {
    const { ledger, after } = broken();
    deliver(after, [4, 5], DUP);
    deliver(after, [6, 7]);
    acknowledge(after, [4, 5, 6, 7]);
    expect(lostOf(ledger, 5, { overwritesInFlight: true })).toEqual([2, 0]);
  });

  it('blames the broker for what was lost on the wire and overwritten, though the bridge acknowledged something else', () => {
    const { ledger, after } = broken();
    const body = Buffer.from([0, 1, 0x70, 0, 9, 0x31]); // of a topic of the bridge's own
    after.delivered({ type: PACKET.publish, flags: 2, body, bytes: body });
    deliver(after, [1], DUP); // its PUBACK had not arrived
    acknowledge(after, [9, 1]);
    expect([ledger.acknowledgements, ledger.acknowledgedAgain]).toEqual([4, 1]);
    expect(lostOf(ledger, 3)).toEqual([4, 3]);
    expect(lostOf(ledger, 3, { overwritesInFlight: true })).toEqual([4, 4]);
  });

  it('takes the packet ids of a clean session for others', () => {
    const { ledger, after } = broken();
    const body = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60]);
    after.sent({ type: PACKET.connect, flags: 0, body, bytes: body });
    deliver(after, [4, 5]);
    expect(ledger.overwritten).toBe(0);
  });
});
