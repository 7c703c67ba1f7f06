import { expect, it } from 'vitest';

import type { Delivery } from '../../../src/core/message.ts';
import { HeldPacketIds } from '../../../src/journal/held-packet-ids.ts';
import { delivery } from './sample-journal.ts';

const MOST = 65_535;
const exact = (text: string, packetId: number): Delivery => delivery(text, [], { qos: 2, packetId, connection: 0 });

it('remembers as many messages that gave their packet id up as there are ids: a broker may never release one', () => {
  const held = new HeldPacketIds();
  for (let number = 0; number <= MOST + 1; number += 1) held.begin(exact(`message ${number}`, 1));
  const verdictOf = (number: number): string =>
    held.judge(exact(`message ${number}`, 2), 'marked', () => false).verdict;
  expect([0, 1, MOST].map(verdictOf)).toEqual(['new', 'maybe repeated', 'maybe repeated']);
});
