import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What stands between a client and the broker, and may leave the broker with a connection that has no client. */
export interface HalfOpenProxy {
  readonly port: number;
  /** Ends the clients' connections; the broker is not told, as after a cable was pulled. */
  leave(): void;
  /** The broker learns that the connections that were left are gone, as it would by its keep-alive. */
  endLeft(): void;
  stop(): Promise<void>;
}

export async function startHalfOpenProxy(brokerPort: number): Promise<HalfOpenProxy> {
  const present = new Set<{ readonly client: Socket; readonly broker: Socket }>();
  const left = new Set<Socket>();
  const server = createServer((client) => {
    const broker = connect(brokerPort, '127.0.0.1');
    const pair = { client, broker };
    present.add(pair);
    client.on('data', (bytes) => void broker.write(bytes));
    broker.on('data', (bytes) => void (client.writable && client.write(bytes)));
    for (const socket of [client, broker]) socket.on('error', () => {});
    client.on('close', () => {
      if (present.delete(pair)) broker.destroy();
    });
    broker.on('close', () => {
      present.delete(pair);
      left.delete(broker);
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const leave = (): void => {
    for (const pair of present) {
      present.delete(pair);
      left.add(pair.broker);
      pair.client.destroy();
    }
  };
  const endLeft = (): void => {
    for (const socket of left) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    leave,
    endLeft,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      leave();
      endLeft();
      await closed;
    },
  };
}
