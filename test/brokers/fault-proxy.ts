import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { isClean, type DeliveryLedger } from './delivery-ledger.ts';
import { PACKET, PacketReader } from './packets.ts';

export interface FaultProxy {
  readonly url: string;
  /** Connections that go on with a session. The client of the notices begins anew each time, and is not counted. */
  readonly connections: number;
  /** Ends all connections, on both sides, with a RST. */
  reset(): void;
  /** While on, PUBACKs (and PUBRECs) of the bridge are swallowed; all else passes. */
  swallowAcks(on: boolean): void;
  /** While on, all that the broker sends is swallowed. A connection must not outlive it, as packets are torn. */
  swallowDeliveries(on: boolean): void;
  stop(): Promise<void>;
}

/** Stands between a bridge and the broker, notes what passes and does harm on demand. */
export async function startFaultProxy(brokerPort: number, ledger: DeliveryLedger): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const session = ledger.session();
  const swallowing = { acks: false, deliveries: false };
  let connections = 0;
  const tie = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => {});
    from.on('drain', () => to.resume());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const pass = (bytes: Uint8Array, from: Socket, to: Socket): void => {
    if (bytes.length > 0 && to.writable && !to.write(bytes)) from.pause();
  };
  const server = createServer((client) => {
    const broker = connect(brokerPort, '127.0.0.1');
    const notes = session.connection();
    const [upwards, downwards] = [new PacketReader(), new PacketReader()];
    tie(client, broker);
    tie(broker, client);
    client.on('data', (chunk: Buffer) => {
      const kept: Buffer[] = [];
      for (const packet of upwards.take(chunk)) {
        notes.sent(packet);
        if (packet.type === PACKET.connect && !isClean(packet.body)) connections += 1;
        const isAck = packet.type === PACKET.puback || packet.type === PACKET.pubrec;
        if (!(isAck && swallowing.acks)) kept.push(packet.bytes);
      }
      pass(Buffer.concat(kept), client, broker);
    });
    broker.on('data', (chunk: Buffer) => {
      for (const packet of downwards.take(chunk)) notes.delivered(packet);
      if (!swallowing.deliveries) pass(chunk, broker, client);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    reset,
    swallowAcks: (on) => void (swallowing.acks = on),
    swallowDeliveries: (on) => void (swallowing.deliveries = on),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      reset();
      await closed;
    },
  };
}
