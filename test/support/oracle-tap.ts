import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface OracleTapOptions {
  /** What the driver gets instead of what the server sent. */
  readonly answer?: (bytes: Buffer) => Buffer;
  /** Hears of what the driver sends. */
  readonly onRequest?: (bytes: Buffer) => void;
}

/** Stands before a stand-in: sees what the driver sends, and may change what it gets. */
export class OracleTap {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#relay(client));
  readonly #port: number;
  readonly #options: OracleTapOptions;

  constructor({ port }: { readonly port: number }, options: OracleTapOptions) {
    this.#port = port;
    this.#options = options;
  }

  /** Resolves with the port of 127.0.0.1 that the driver is to use. */
  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(client: Socket): void {
    const { answer = (bytes): Buffer => bytes, onRequest } = this.#options;
    const server = connect(this.#port, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
    }
    client
      .on('data', (bytes) => {
        onRequest?.(bytes);
        server.write(bytes);
      })
      .on('close', () => server.destroy());
    server.on('data', (bytes) => client.write(answer(bytes))).on('close', () => client.destroy());
  }
}
