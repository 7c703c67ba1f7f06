import { setTimeout as wait } from 'node:timers/promises';

import mqtt from 'mqtt';

import type { BenchMessage } from './messages.ts';

const IN_FLIGHT = 500;

/** Publishes so many messages at QoS 1, as fast as the broker acknowledges; resolves when it has them all. */
export async function publish(
  brokerUrl: string,
  messages: number,
  message: (number: number) => BenchMessage,
): Promise<void> {
  const client = await mqtt.connectAsync(brokerUrl);
  let next = 0;
  const publishOn = async (): Promise<void> => {
    while (next < messages) {
      const number = next;
      next += 1;
      const { payload, topic } = message(number);
      await client.publishAsync(topic, payload, { qos: 1 });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, publishOn));
  await client.endAsync();
}

/** Publishes so many messages at QoS 1, so many a second; resolves when the broker has them all. */
export async function publishSteadily(
  brokerUrl: string,
  messages: number,
  perSecond: number,
  message: (number: number) => BenchMessage,
): Promise<void> {
  const client = await mqtt.connectAsync(brokerUrl);
  const under: Promise<unknown>[] = [];
  const begunMs = performance.now();
  for (let number = 0; number < messages; number += 1) {
    const dueMs = begunMs + (number * 1000) / perSecond;
    if (performance.now() < dueMs) await wait(dueMs - performance.now());
    const { payload, topic } = message(number);
    under.push(client.publishAsync(topic, payload, { qos: 1 }));
    if (under.length >= IN_FLIGHT) await Promise.all(under.splice(0));
  }
  await Promise.all(under);
  await client.endAsync();
}
