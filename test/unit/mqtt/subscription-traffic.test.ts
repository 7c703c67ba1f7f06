import { describe, expect, it } from 'vitest';

import { SubscriptionTraffic } from '../../../src/mqtt/session/subscription-traffic.ts';

function wanting(...filters: readonly string[]): SubscriptionTraffic {
  const traffic = new SubscriptionTraffic();
  traffic.want(filters);
  return traffic;
}

describe('SubscriptionTraffic', () => {
  it('counts a message for the first filter that takes its topic in, shared ones too', () => {
    const traffic = wanting('$share/plant/plc/+/tags', 'plant/#', '#');
    traffic.note('plc/PLC01/tags', 1);
    traffic.note('plc/PLC02/tags', 2);
    traffic.note('plc/PLC01/tags', 3);
    traffic.note('plant', 4);
    traffic.note('$SYS/uptime', 5);
    expect(traffic.of('$share/plant/plc/+/tags')).toEqual({ messages: 3, lastAtMs: 3 });
    expect(traffic.of('plant/#')).toEqual({ messages: 1, lastAtMs: 4 });
    expect(traffic.of('#')).toEqual({ messages: 0, lastAtMs: undefined });
  });

  it('counts on for filters that stay, begins anew for others, and forgets what is not wanted', () => {
    const traffic = wanting('a/+', 'b/+');
    traffic.note('a/1', 1);
    traffic.note('b/1', 2);
    traffic.want(['a/+', '+/1']);
    traffic.note('b/1', 3);
    traffic.note('c/2', 4);
    expect(traffic.of('a/+')).toEqual({ messages: 1, lastAtMs: 1 });
    expect(traffic.of('+/1')).toEqual({ messages: 1, lastAtMs: 3 });
    expect(traffic.of('b/+').messages).toBe(0);
  });

  it('counts each message also with more topics, and longer ones, than are remembered', () => {
    const traffic = wanting('a/#');
    for (let i = 0; i < 10_001; i += 1) traffic.note(`a/${i}`, i);
    traffic.note(`a/${'x'.repeat(2000)}`, 1);
    traffic.note('a/0', 2);
    expect(traffic.of('a/#')).toEqual({ messages: 10_003, lastAtMs: 2 });
  });
});
