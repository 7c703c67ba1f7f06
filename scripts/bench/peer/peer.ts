import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { cached, missingCommand, run, Unavailable } from '../../../test/support/package-cache.ts';
import { tieToThisProcess } from '../../../test/support/tied-process.ts';
import { until } from '../../../test/support/until.ts';

export interface PeerFigures {
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
  readonly peakMegabytes: number;
}

export interface RunningPeer {
  readonly pid: number;
  /** Once it has written its rows. */
  readonly figures: Promise<PeerFigures>;
  stop(): Promise<void>;
}

export const PEERS = ['python'] as const;
const NO_END = 1e15;
const PACKAGES = ['paho-mqtt==2.2.0', 'oracledb==26.1.0'];

/** The script of peer.py, subscribed. Throws Unavailable where there is no Python, or its packages can't be had. */
export async function startPeer(brokerUrl: string, dsn: string, rows = NO_END): Promise<RunningPeer> {
  const missing = missingCommand('python3');
  if (missing !== undefined) throw new Unavailable(missing);
  const home = await cached('python-peer', PACKAGES.join(' '), async (directory) => {
    const options = ['--quiet', '--disable-pip-version-check', '--root-user-action=ignore', '--target', 'site'];
    await run('python3', ['-m', 'pip', 'install', ...options, ...PACKAGES], directory);
  });
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const { hostname, port } = new URL(brokerUrl);
  const child = spawn('python3', [script, '--host', hostname, '--port', port, '--dsn', dsn, '--rows', String(rows)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: join(home, 'site') },
  });
  tieToThisProcess(child);
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  const ended = once(child, 'close');
  const figures = ended.then(() => JSON.parse(said[1] ?? '{}') as PeerFigures);
  await until('the peer to subscribe', () => said[0] === 'ready' || hasEnded(child), 30_000);
  if (hasEnded(child)) throw new Error(`the peer ended with ${child.exitCode}`);
  return {
    pid: child.pid!,
    figures,
    stop: async () => {
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
