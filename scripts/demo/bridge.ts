import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Status } from '../../src/ops/status.ts';
import { schemaDdl } from '../../src/oracle/schema.ts';
import type { Standin } from '../../test/support/standin/standin.ts';
import { SESSIONS_OPTIONS, TABLE_OPTIONS } from '../../test/support/tag-table.ts';
import { tieToThisProcess } from '../../test/support/tied-process.ts';
import type { Broker } from './broker.ts';

/** Where all files are: the first argument, where there is one. */
export const DIRECTORY = process.argv[2] ?? join('data', 'demo');
/** Of the destination that the PLC of the utilities goes to. */
export const UTILITIES_TABLE = 'UTILITIES';

/** The DDL of that table. */
export function utilitiesDdl(): string {
  const destination = { ...SESSIONS_OPTIONS.destination, name: 'utilities', table: UTILITIES_TABLE };
  return schemaDdl([destination], { ledgerTable: '', tagName: '{plc}.{tag}' });
}

/** Resolves when the bridge is subscribed; throws when it ends before that. */
export async function startBridge(broker: Broker, standin: Standin, httpPort: number): Promise<ChildProcess> {
  const config = {
    bridge: { id: 'demo' },
    mqtt: {
      url: broker.url,
      protocolVersion: 4,
      subscriptions: [
        { topic: 'plc/+/tags', format: 'polling', plcCode: '{2}' },
        { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}', to: 'utilities' },
      ],
    },
    oracle: {
      connectString: standin.connectString,
      user: 'bridge',
      password: 'secret',
      ...TABLE_OPTIONS,
      destinations: { utilities: { table: UTILITIES_TABLE } },
    },
    journal: { dir: join(DIRECTORY, 'journal') },
    backup: { dir: join(DIRECTORY, 'backup') },
    http: { port: httpPort },
    log: { format: 'text' },
  };
  const file = join(DIRECTORY, 'bridge.json');
  await writeFile(file, JSON.stringify(config, undefined, 2));
  // In a process group of its own, so that Ctrl-C reaches this process alone and the bridge is ended in order.
  const options = { detached: true, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] };
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'run', '--config', file], options);
  tieToThisProcess(child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      console.log(`bridge | ${line}`);
      if (line.includes(' subscribed ')) child.emit('subscribed');
      if (line.includes('sessionPresent=true')) child.emit('connected');
    });
  }
  // So that what the plant publishes can be held against what is in the table. After a kill the session is still
  // subscribed.
  await Promise.race([once(child, 'subscribed'), once(child, 'connected'), once(child, 'exit')]);
  if (child.exitCode !== null) throw new Error(`the bridge ended with ${child.exitCode}`);
  return child;
}

export async function fetchStatus(url: string): Promise<Status | undefined> {
  try {
    return (await (await fetch(`${url}/api/status`)).json()) as Status;
  } catch {
    return undefined;
  }
}

export function showBackups(): void {
  const file = join(DIRECTORY, 'bridge.json');
  spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'backups', 'list', '--config', file], {
    stdio: 'inherit',
  });
}
