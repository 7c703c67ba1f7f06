/**
 * Tries on a real Oracle Database what the bridge believes of it.
 *
 *     npm run confirm -- --connect localhost:1521/FREEPDB1 --user confirm      the password in CONFIRM_PASSWORD
 *     npm run confirm -- … --only zone-into-timestamp,values-before-keys
 *     npm run confirm -- … --log-ons      also one log-on with a wrong password, which counts towards the lock
 *     npm run confirm -- --write          writes the tables of docs/to-confirm.md; needs no database
 *
 * Rights: CREATE SESSION, CREATE TABLE and a little quota on the default tablespace; single points name more. Each
 * point makes tables of its own, CONFIRM_ and eight hexadecimal digits, and drops them; it touches nothing else. Ends
 * with 1 when something differs from what is believed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { withTables } from './confirm/page.ts';
import { POINTS, tryPoint, type Verdict } from './confirm/points.ts';

const PAGE = new URL('../docs/to-confirm.md', import.meta.url);
const { values: flags } = parseArgs({
  options: {
    connect: { type: 'string', default: '' },
    user: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    'log-ons': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

async function tryAll(): Promise<void> {
  const password = process.env['CONFIRM_PASSWORD'] ?? '';
  if (password === '') throw new Error('CONFIRM_PASSWORD in the environment has to be the password');
  const ids = flags.only.split(',').filter((id) => id !== '');
  const unknown = ids.filter((id) => !POINTS.some((point) => point.id === id));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}`);
  const verdicts: Verdict[] = [];
  for (const point of POINTS.filter(({ id }) => ids.length === 0 || ids.includes(id))) {
    const where = { connectString: flags.connect, user: flags.user, password };
    const verdict = await tryPoint(point, where, flags['log-ons']);
    verdicts.push(verdict);
    process.stdout.write(`${verdict.word.padEnd(9)}  ${point.id.padEnd(26)}  ${verdict.said}\n`);
  }
  const count = (word: Verdict['word']): number => verdicts.filter((verdict) => verdict.word === word).length;
  process.stdout.write(
    `\n${count('confirmed')} confirmed, ${count('differs')} differ, ${count('not tried')} could not be tried\n`,
  );
  for (const { point, word, said } of verdicts) {
    if (word === 'differs') process.stdout.write(`\n${point.id}: believed that ${point.belief}; seen: ${said}\n`);
  }
  if (count('differs') > 0) process.exitCode = 1;
}

async function main(): Promise<void> {
  if (flags.write) await writeFile(PAGE, withTables(await readFile(PAGE, 'utf8')));
  else if (flags.connect === '' || flags.user === '')
    throw new Error('--connect HOST:PORT/SERVICE and --user are needed');
  else await tryAll();
}

main().catch((error: unknown) => {
  process.stderr.write(`confirm: ${(error as Error).message}\n`);
  process.exitCode = 1;
});
