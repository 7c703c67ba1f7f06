/** Hosts that a log-on must pass: each gives a port of 127.0.0.1 where it is dead in its own way. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface DeadHost {
  readonly port: number;
  end(): void;
}

/** Takes connections and never says a word. */
export async function startSilentHost(): Promise<DeadHost> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    end: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Node takes every connection from the queue; Python takes none unless it is told to. */
const NEVER_ACCEPTS = `
import socket, sys
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(0)
print(s.getsockname()[1], flush=True)
sys.stdin.read()
`;
const FILL_WITH = 4;

export const pythonMissing = spawnSync('python3', ['--version']).status === 0 ? undefined : 'python3 is not installed';

/** Drops what arrives, as a host that is switched off does: the queue of the port is full, and nobody takes from it. */
export async function startDroppingHost(): Promise<DeadHost> {
  const child = spawn('python3', ['-c', NEVER_ACCEPTS], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(first.toString());
  const sockets = Array.from({ length: FILL_WITH }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(sockets.map((socket) => once(socket, 'connect')));
  return {
    port,
    end: () => {
      for (const socket of sockets) socket.destroy();
      child.stdin.end();
    },
  };
}
