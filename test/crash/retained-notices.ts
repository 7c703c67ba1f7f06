import mqtt from 'mqtt';

import { until } from '../support/until.ts';

const TOPIC = /\/recovery\/(?<file>[^/]+)$/;

/**
 * Resolves when the broker retains a notice for each of the files, and for no other. Throws when that does not come to
 * pass.
 */
export async function noticesFit(
  url: string,
  baseTopic: string,
  files: () => Promise<readonly string[]>,
): Promise<void> {
  const retained = new Set<string>();
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, protocolVersion: 4 });
  client.on('message', (topic, payload) => {
    const file = TOPIC.exec(topic)?.groups?.['file'];
    if (file === undefined) return;
    if (payload.length > 0) retained.add(file);
    else retained.delete(file);
  });
  try {
    await client.subscribeAsync(`${baseTopic}/recovery/#`, { qos: 1 });
    await until('the notices to fit the files', async () => {
      const present = await files();
      return present.length === retained.size && present.every((file) => retained.has(file));
    });
  } finally {
    await client.endAsync();
  }
}
