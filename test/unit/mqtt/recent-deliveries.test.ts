import { expect, it } from 'vitest';

import { RecentDeliveries, STATES } from '../../../src/mqtt/redelivery/recent-deliveries.ts';

it('keeps no more bytes of payloads than its limit, and knows what it has reduced', () => {
  const recent = new RecentDeliveries({ window: 100, maxPayloadBytes: 1000 });
  const payloads = Array.from({ length: 300 }, (_, i) => Buffer.from(`at ${String(i).padStart(90, '0')}`));
  const positions = payloads.map((payload, i) => {
    const position = recent.add(i + 1, 'a', payload, STATES.live);
    expect(recent.payloadBytes).toBeLessThanOrEqual(1000);
    return position;
  });
  for (const [i, position] of positions.entries()) {
    if (recent.latestOf(i + 1) === 0) continue;
    expect([payloads[i]!, payloads[(i + 1) % 300]!].map((payload) => recent.isEqual(position, 'a', payload))).toEqual([
      true,
      false,
    ]);
  }
  expect(positions.filter((_, i) => recent.latestOf(i + 1) > 0)).toHaveLength(100);
});
