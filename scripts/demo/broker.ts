import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';

export interface Broker {
  readonly url: string;
  stop(): Promise<void>;
}

/** The usual port where it is free, else any free one; 0: none is usual. */
export async function choosePort(name: string, usual: number): Promise<number> {
  const port = await listenBriefly(usual).catch(() => listenBriefly(0));
  if (usual !== 0 && port !== usual) console.log(`port ${usual} (${name}) is taken: using ${port}`);
  return port;
}

async function listenBriefly(port: number): Promise<number> {
  const server = createServer();
  const listening = once(server, 'listening');
  server.listen(port, '127.0.0.1');
  await listening;
  const chosen = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
  return chosen;
}

export async function startBroker(port: number): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const listening = once(server, 'listening');
  server.listen(port, '127.0.0.1');
  await listening;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Tells of each recovery notice when it appears, changes its state or is cleared. */
export async function watchNotices(url: string): Promise<MqttClient> {
  const states = new Map<string, string>();
  const client = await mqtt.connectAsync(url, { clientId: 'demo-watcher' });
  client.on('message', (topic, payload) => {
    const notice = payload.length === 0 ? { state: 'cleared' } : (JSON.parse(payload.toString()) as { state: string });
    if (states.get(topic) === notice.state) return;
    states.set(topic, notice.state);
    console.log(`notice | ${topic} ${payload.length === 0 ? '(cleared)' : payload.toString()}`);
  });
  await client.subscribeAsync('mqtt-oracle-bridge/+/recovery/+', { qos: 1 });
  return client;
}
