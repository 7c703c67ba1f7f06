import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port.ts';
import { tieToThisProcess } from './tied-process.ts';
import { until } from './until.ts';

export interface MosquittoOptions {
  /** Lines for the configuration file. `{dir}` stands for the broker's own directory, `{port}` for its port. */
  readonly config?: readonly string[];
  /** Keeps sessions and messages over a restart. */
  readonly persistence?: boolean;
  /** Another port for WebSocket, with these lines for its listener. */
  readonly webSocket?: readonly string[];
  /** Files to put into the broker's directory, content by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface RunningMosquitto {
  readonly url: string;
  readonly port: number;
  /** `ws://…`; empty where none was asked for. */
  readonly webSocketUrl: string;
  stop(): Promise<void>;
  /** Ends the process and starts it again on the same port; `whileDown` runs in between. */
  restart(whileDown?: () => Promise<void>): Promise<void>;
}

/** Where the broker is installed. */
export const MOSQUITTO_BINARY = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  .map((directory) => join(directory, 'mosquitto'))
  .find((path) => existsSync(path));

/** Why tests with mosquitto are to be skipped. In CI they never are: they fail where it is missing. */
export const mosquittoMissing =
  MOSQUITTO_BINARY === undefined && process.env['CI'] === undefined ? 'mosquitto is not installed' : undefined;

/** A mosquitto on a free port of the loopback interface, with a temporary directory of its own. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<RunningMosquitto> {
  if (MOSQUITTO_BINARY === undefined) throw new Error('mosquitto is not installed');
  const binary = MOSQUITTO_BINARY;
  const dir = await mkdtemp(join(tmpdir(), 'mosquitto-'));
  const port = await freePort();
  const configFile = join(dir, 'mosquitto.conf');
  const webSocketPort = options.webSocket === undefined ? undefined : await freePort();
  const fill = (text: string): string => text.replaceAll('{dir}', dir).replaceAll('{port}', String(port));
  for (const [name, content] of Object.entries(options.files ?? {})) {
    await writeFile(join(dir, name), content, { mode: 0o600 });
  }
  const webSocketLines =
    webSocketPort === undefined
      ? []
      : [`listener ${webSocketPort} 127.0.0.1`, 'protocol websockets', ...(options.webSocket ?? [])];
  await writeFile(configFile, `${[...configLines(options), ...webSocketLines].map(fill).join('\n')}\n`);
  let running = await launch(binary, configFile, port);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    webSocketUrl: webSocketPort === undefined ? '' : `ws://127.0.0.1:${webSocketPort}`,
    restart: async (whileDown) => {
      await terminate(running);
      await whileDown?.();
      running = await launch(binary, configFile, port);
    },
    stop: async () => {
      await terminate(running);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function configLines({ config = [], persistence = false }: MosquittoOptions): string[] {
  const hasListener = config.some((line) => line.startsWith('listener'));
  const hasAccess = config.some((line) => line.startsWith('allow_anonymous'));
  return [
    ...(process.getuid?.() === 0 ? ['user root'] : []), // or it could not read its directory
    ...(persistence ? ['persistence true', 'persistence_location {dir}/'] : []),
    ...(hasListener ? [] : ['listener {port} 127.0.0.1']),
    ...(hasAccess ? [] : ['allow_anonymous true']),
    ...config,
  ];
}

async function launch(binary: string, configFile: string, port: number): Promise<ChildProcess> {
  const child = spawn(binary, ['-c', configFile], { stdio: ['ignore', 'ignore', 'pipe'] });
  tieToThisProcess(child);
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  await until('mosquitto to listen', () => {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}: ${complaints}`);
    return answers(port);
  });
  return child;
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await exited;
}

/** Whether somebody listens on this port of the loopback interface. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
