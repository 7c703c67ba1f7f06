import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';

import type { Issued } from './certificate-authority.ts';

export interface TlsFront {
  readonly port: number;
  /** Common names of the clients that gave a certificate, in the order of their connections. */
  readonly clients: readonly string[];
  stop(): Promise<void>;
}

export interface TlsFrontOptions {
  /** The port of the loopback interface on which the server behind listens, in plain TCP. */
  readonly target: number;
  readonly certificate: Issued;
  /** Clients must have a certificate that this authority signed (PEM). */
  readonly clientCa?: string;
}

/** TLS in front of a server that has none, on a free port of the loopback interface. */
export async function startTlsFront({ target, certificate, clientCa }: TlsFrontOptions): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const clients: string[] = [];
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const mutual = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const { certificate: cert, privateKey: key } = certificate;
  const server = createServer({ cert, key, ...mutual }, (client) => {
    const { subject } = client.getPeerCertificate();
    if (subject !== undefined) clients.push(String(subject.CN));
    const behind = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      keep(from);
      from.pipe(to);
      from.on('close', () => to.destroy());
    }
  });
  server.on('connection', keep);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    clients,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
