import { beforeEach, describe, expect, it } from 'vitest';

import type { Destination } from '../../../src/core/columns.ts';
import { ORIGIN } from '../../../src/core/place.ts';
import { DestinationSessions } from '../../../src/oracle/destination-sessions.ts';
import { GoneDestination } from '../../../src/oracle/gone-destination.ts';
import { databaseErrorOf } from '../../support/oracle-connections.ts';
import { SESSIONS_OPTIONS } from '../../support/tag-table.ts';
import { valuesOf } from '../../support/values.ts';
import { failure, FakeDatabase, placeOfValue } from '../writer/running-writer.ts';

describe('GoneDestination', () => {
  let database: FakeDatabase;
  let gone: GoneDestination;

  beforeEach(() => {
    database = new FakeDatabase('live/J/alarms');
    database.ledger = placeOfValue(3);
    gone = new GoneDestination('alarms', database);
  });

  it('believes the ledger', async () => {
    expect(await gone.readPlace()).toEqual(placeOfValue(3));
  });

  it('writes nothing, and says what can be done', async () => {
    const error = await databaseErrorOf(gone.write());
    expect(error).toMatchObject({ kind: 'configuration', code: 'DESTINATION_GONE', outcomeUnknown: false });
    expect(error.message).toContain('alarms');
    expect(error.remedy).toContain('--to NAME');
    expect([database.calls, database.committed, database.ledger]).toEqual([[], [], placeOfValue(3)]);
  });

  it('asks the ledger alone whether the database is there, as there may be no table', async () => {
    database.probeError = failure('configuration', 'ORA-00942');
    await gone.probe();
    expect([database.probes, database.ledgerReads]).toEqual([0, 1]);
  });

  it('passes on an interruption, and that the stream has come to its end', async () => {
    gone.interrupt();
    expect(database.interrupts).toBe(1);
    await gone.forget();
    expect(await gone.readPlace()).toEqual(ORIGIN);
  });
});

describe('DestinationSessions', () => {
  const destinations: readonly Destination[] = [
    SESSIONS_OPTIONS.destination,
    { ...SESSIONS_OPTIONS.destination, name: 'alarms' },
  ];
  const asked: string[] = [];
  const sessions = new DestinationSessions(
    (destination) => ({
      use: (what) => {
        asked.push(`${destination}: ${what}`);
        return Promise.reject(failure('connection'));
      },
    }),
    { ...SESSIONS_OPTIONS, destinations, bridgeId: 'b' },
  );

  beforeEach(() => void (asked.length = 0));

  it.each([
    ['default', 'default: live read ledger'],
    ['alarms', 'alarms: live read ledger alarms'],
    ['gone', 'default: replay read ledger'],
  ])('ask for the connections of the destination, or of the default one (%s)', async (destination, use) => {
    await databaseErrorOf(sessions.live('J', destination).readPlace());
    expect(asked).toEqual([use]);
  });

  it.each(['live', 'replay'] as const)('write nothing for one that is not configured (%s)', async (how) => {
    const session = how === 'live' ? sessions.live('J', 'gone') : sessions.replay('backup/F', 'gone');
    const move = { from: ORIGIN, to: placeOfValue(1) };
    const error = await databaseErrorOf(session.write(valuesOf(1), move, () => Promise.resolve()));
    expect([error.code, asked]).toEqual(['DESTINATION_GONE', []]);
  });
});
