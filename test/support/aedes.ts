import { createServer, type AddressInfo, type Socket } from 'node:net';

import { Aedes, type AedesOptions } from 'aedes';

export interface RunningAedes {
  readonly url: string;
  readonly broker: Aedes;
  /** Cuts all connections; the broker goes on. */
  cutConnections(): void;
  stop(): Promise<void>;
}

/** An aedes broker (MQTT 3.1.1 only) on a free port of the loopback interface. */
export async function startAedes(options: AedesOptions = {}): Promise<RunningAedes> {
  const broker = await Aedes.createBroker(options);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cutConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broker,
    cutConnections,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cutConnections();
      await new Promise<void>((resolve) => {
        broker.close(() => resolve());
      });
      await closed;
    },
  };
}
