import { describe, expect, it } from 'vitest';

import { tableColumns } from '../../../src/core/columns.ts';
import { DatabaseError } from '../../../src/core/errors.ts';
import { Sessions } from '../../../src/oracle/sessions.ts';
import { SESSIONS_OPTIONS } from '../../support/tag-table.ts';

const REMEDY = 'Correct oracle.table or oracle.columns; oracle.user may stay.';

describe('what is to be corrected of a destination', () => {
  it.each([
    ['default', REMEDY],
    ['alarms', 'Correct oracle.destinations.alarms.table or oracle.destinations.alarms.columns; oracle.user may stay.'],
  ])('is called as the configuration calls it for %s', async (name, remedy) => {
    const error = new DatabaseError('configuration', 'ORA-00942', 'no such table', { remedy: REMEDY, isHeld: true });
    const destination = { ...SESSIONS_OPTIONS.destination, name };
    const lender = { use: () => Promise.reject(error) };
    const sessions = new Sessions(lender, { ...SESSIONS_OPTIONS, destination, bridgeId: 'b' });
    await expect(sessions.replay('stream').readPlace()).rejects.toMatchObject({
      code: 'ORA-00942',
      kind: 'configuration',
      isHeld: true,
      remedy,
    });
    const columns = name === 'default' ? 'oracle.columns' : 'oracle.destinations.alarms.columns';
    const further = { ...destination, columns: { ...destination.columns, source: "'x'" } };
    const paths = tableColumns(further).map(({ path }) => path);
    expect(paths).toContain(`${columns}.tagName`);
    expect(paths).toContain(`${columns}.source`);
  });
});
