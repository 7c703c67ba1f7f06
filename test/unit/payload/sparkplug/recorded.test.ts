import { describe, expect, it } from 'vitest';

import recorded from './recorded.json' with { type: 'json' };
import { Listener, type SparkplugRow } from './sparkplug-rows.ts';

interface Recorded {
  readonly what: string;
  readonly topic: string;
  readonly hex: string;
  readonly retained?: boolean;
  readonly rows?: readonly SparkplugRow[];
  readonly reason?: string;
}

/*
 * What publishers' libraries have sent, in the order of each, with the rows that an independent decoder, protoc's,
 * leads to. Types that a birth would have told are missing where it was not recorded.
 */
describe('a message that was recorded', () => {
  const listener = new Listener();
  const messages = (recorded as unknown as readonly Recorded[]).map(
    (message, i) => [`${i} ${message.what}`, message] as const,
  );

  it.each(messages)('%s', (_what, { hex, reason, retained = false, rows, topic }) => {
    expect(listener.hear(topic, Buffer.from(hex, 'hex'), retained)).toEqual(rows ?? reason);
  });
});
