import { join } from 'node:path';

import type { ListedFile } from '../../src/backup/replay/listing.ts';
import type { Obligation } from '../crash/load-publisher.ts';
import { judge, type Offence } from '../crash/verdict.ts';
import { BridgeProcess, type BridgeProcessOptions } from '../support/bridge-process.ts';
import type { RunningMosquitto } from '../support/mosquitto.ts';
import type { Neighbours } from '../support/neighbours.ts';
import { readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { addressesOf } from './cut-off.ts';

export interface Arrival {
  /** What was lost or doubled, or nobody has published. */
  readonly offences: readonly Offence[];
  /** The audit, once nothing is on its way. */
  readonly isBalanced: boolean;
  readonly version: string;
}

/**
 * Starts a bridge in the directory in which another one was cut off, waits until nothing is on its way and no backup is
 * left, and looks where everything is.
 */
export async function arrive(
  config: BridgeProcessOptions['config'],
  neighbours: Neighbours<RunningMosquitto>,
  obligations: ReadonlyMap<string, Obligation>,
  options: Pick<BridgeProcessOptions, 'checkout'> & { readonly directory: string },
): Promise<Arrival> {
  const { mqtt, oracle } = addressesOf(neighbours);
  const whole = { ...config, mqtt: { ...config['mqtt'], ...mqtt }, oracle: { ...config['oracle'], ...oracle } };
  const bridge = await BridgeProcess.start({ config: whole, ...options });
  try {
    const status = await bridge.untilStatus('nothing to be on its way', ({ audit, journal, counters }) => {
      return journal.messages === 0 && audit.pending === 0 && counters.valuesReceived > 0;
    });
    await until(
      'the backups to be replayed',
      async () => {
        const files = (await (await fetch(new URL('/api/backups', bridge.url))).json()) as ListedFile[];
        return files.every(({ kind }) => kind !== 'backup');
      },
      30_000,
    );
    const offences = await judge(obligations, await readRows(neighbours.standin), [join(options.directory, 'backup')]);
    const isBalanced = (await bridge.status()).audit.balanced;
    const exitCode = await bridge.end();
    if (exitCode !== 0) throw new Error(`the bridge ended with ${exitCode}`);
    return { offences, isBalanced, version: status.version };
  } finally {
    await bridge.end('SIGKILL');
  }
}
