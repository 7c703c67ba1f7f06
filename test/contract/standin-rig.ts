import { Sessions } from '../../src/oracle/sessions.ts';
import type { LostAnswer } from '../support/fake-store.ts';
import { connectionsTo } from '../support/oracle-connections.ts';
import type { FaultRule } from '../support/standin/faults.ts';
import { startStandin, type ProfileName } from '../support/standin/standin.ts';
import { createTables, readRows, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { ascending, type Rig } from './rig.ts';

const LATE_MS = 100;

const FAULTS: Readonly<Record<LostAnswer, FaultRule>> = {
  committed: { on: 'commit', reset: 'after' },
  'rolled back': { on: 'commit', reset: 'before' },
  'commits late': { on: 'commit', late: { outcome: 'commit', afterMs: LATE_MS } },
  'rolls back late': { on: 'commit', late: { outcome: 'rollback', afterMs: LATE_MS } },
};

/** The stand-in over TCP, with the real driver and the bridge's own code before it. */
export async function standinRig(profile: ProfileName): Promise<Rig> {
  const standin = await startStandin({ profile });
  await createTables(standin);
  const connections = connectionsTo(standin);
  const options = { ...SESSIONS_OPTIONS, bridgeId: 'contract' };
  const sessions = new Sessions(connections, options);
  return {
    session: (stream) => sessions.replay(stream),
    withoutLedger: () => new Sessions(connections, { ...options, ledgerTable: '' }).replay('none'),
    numbers: async () => ascending((await readRows(standin)).map(({ value }) => value!)),
    refuse: (values, index) => void (values.qualities[index] = 'far longer than sixteen'),
    // Longer than what its column is bound with: the driver refuses the whole array.
    spoil: (values, index) => void (values.texts[index] = 'x'.repeat(40_000)),
    loseAnswer: (how) => void standin.faults.add(FAULTS[how]),
    end: async () => {
      await connections.stop();
      standin.stop();
    },
  };
}
