/**
 * The points of `npm run confirm`, tried on the stand-in: each one says which document, driver's test or recording it
 * rests on (`source`), or is listed in docs/to-confirm.md as shown by nobody.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { Where } from '../../scripts/confirm/place.ts';
import { POINTS, tryPoint } from '../../scripts/confirm/points.ts';
import { type Standin, startStandin } from '../support/standin/standin.ts';

/** What the stand-in does not have; on a database that has it these are tried as well. */
const NOT_TRIED_HERE = new Set(['killed-session', 'read-only-table', 'unusable-index', 'no-partition']);

async function tableCount(standin: Standin): Promise<number> {
  const rows = await standin.engine.query('SELECT COUNT(*) AS n FROM user_tables', 'BRIDGE');
  return Number(rows[0]!['N']);
}

async function runConfirm(standin: Standin, ...more: string[]): Promise<{ code: number; output: string }> {
  const args = [
    '--import',
    'tsx',
    'scripts/confirm.ts',
    '--connect',
    standin.connectString,
    '--user',
    'bridge',
    ...more,
  ];
  const child = spawn(process.execPath, args, { env: { ...process.env, CONFIRM_PASSWORD: 'secret' } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe.each(['19c', '23ai'] as const)('what the bridge believes of Oracle, on a stand-in of %s:', (profile) => {
  let standin: Standin;
  let where: Where;
  beforeAll(async () => {
    standin = await startStandin({ profile });
    where = { connectString: standin.connectString, user: 'bridge', password: 'secret' };
  });
  afterAll(() => standin.stop());

  it.each(POINTS.map((point) => [point.id, point.belief, point] as const))('%s: %s', async (id, _belief, point) => {
    const { word, said } = await tryPoint(point, where, true);
    expect([word, said]).toEqual([NOT_TRIED_HERE.has(id) ? 'not tried' : 'confirmed', said]);
    expect(await tableCount(standin)).toBe(0);
  });
});

describe('npm run confirm', () => {
  it('says what differs, in time and with the code 1, when the database hides an open transaction', async () => {
    const standin = await startStandin({ hidesTransactions: true });
    try {
      const ids = 'error-tells-transaction,bad-rows-alone,wrong-password';
      const { code, output } = await runConfirm(standin, '--only', ids);
      expect(output).toMatch(/^confirmed +bad-rows-alone/m);
      expect(output).toMatch(/^differs +error-tells-transaction +the logoff has committed/m);
      expect(output).toMatch(/^not tried +wrong-password +it counts towards the lock/m);
      expect(output).toContain('1 confirmed, 1 differ, 1 could not be tried');
      expect(code).toBe(1);
      expect(standin.stats.logons.every(({ accepted }) => accepted)).toBe(true);
      expect(await tableCount(standin)).toBe(0);
    } finally {
      standin.stop();
    }
  });
});
