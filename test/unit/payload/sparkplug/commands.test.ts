import { get as payloadsOf } from 'sparkplug-payload';
import { describe, expect, it } from 'vitest';

import { rebirthRequest } from '../../../../src/payload/sparkplug/commands.ts';
import { commandTopic } from '../../../../src/payload/sparkplug/topic.ts';

describe('a request for births', () => {
  it('is a command with a time, without a number, that sets Node Control/Rebirth to true', () => {
    const timeMs = 1_700_000_000_123;
    const { metrics, timestamp, ...others } = payloadsOf('spBv1.0')!.decodePayload(rebirthRequest(timeMs));
    expect(String(timestamp)).toBe(String(timeMs));
    expect(metrics).toMatchObject([{ name: 'Node Control/Rebirth', type: 'Boolean', value: true }]);
    expect(others).toEqual({});
    expect(commandTopic('G', 'N')).toBe('spBv1.0/G/NCMD/N');
  });
});
