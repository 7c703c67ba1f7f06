/** Brokers that the tests had before: the system's mosquitto, and aedes of the package's own dependencies. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { MOSQUITTO_BINARY, mosquittoMissing } from '../support/mosquitto.ts';
import type { RealBroker } from './broker.ts';
import { sourceFile } from './packages.ts';

/** `mosquitto -h` ends with 3 whatever it says. */
function mosquittoVersion(): string {
  if (MOSQUITTO_BINARY === undefined) return '?';
  try {
    return execFileSync(MOSQUITTO_BINARY, ['-h'], { encoding: 'utf8' });
  } catch (error) {
    return /version (\S+)/.exec(String((error as { stdout?: string }).stdout))?.[1] ?? '?';
  }
}

export const mosquitto: RealBroker = {
  name: 'mosquitto',
  title: 'Eclipse mosquitto',
  version: mosquittoVersion(),
  protocols: [5, 4],
  isPersistent: true,
  missing: mosquittoMissing,
  install: () => Promise.resolve(MOSQUITTO_BINARY!),
  prepare: async (home, directory, port) => {
    const configFile = join(directory, 'mosquitto.conf');
    const lines = [
      ...(process.getuid?.() === 0 ? ['user root'] : []), // or it could not read its directory
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${directory}/`,
      'max_queued_messages 0',
      'max_inflight_messages 1000',
    ];
    await writeFile(configFile, `${lines.join('\n')}\n`);
    return { command: home, args: ['-c', configFile], logFile: join(directory, 'broker.log'), port };
  },
};

const AEDES = JSON.parse(readFileSync(sourceFile('../../node_modules/aedes/package.json'), 'utf8')) as {
  version: string;
};

export const aedes: RealBroker = {
  name: 'aedes',
  title: 'aedes, in memory',
  version: AEDES.version,
  protocols: [4],
  qos2: 'the broker sends a message again that was released, or under another packet id',
  isPersistent: false,
  missing: undefined,
  install: () => Promise.resolve(''),
  prepare: (_home, directory, port) =>
    Promise.resolve({
      command: process.execPath,
      args: ['--import', 'tsx', sourceFile('aedes/main.ts'), String(port)],
      logFile: join(directory, 'broker.log'),
      port,
    }),
};
