import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Obligation } from '../crash/load-publisher.ts';
import { Decimal, Timestamp, type Value } from '../support/standin/engine/types.ts';
import type { Standin } from '../support/standin/standin.ts';
import { runDdl, TABLES_DDL } from '../support/tag-table.ts';
import { CONFIG, type Cut, type LeftBehind } from './cut-off.ts';

/*
 * What a released version leaves behind when it is cut off, kept so that each later one is tried on it:
 * test/fixtures/releases/<version>/<cut>/
 *
 *   journal/ backup/   as they lay there, without the reserves, which hold nothing
 *   bridge.json        the configuration, without addresses and directories
 *   database.sql       tables and rows, those of the ledger too, as statements that Oracle takes as well
 *   published.json     all that the broker had acknowledged and the bridge had
 */

const FIXTURES = fileURLToPath(new URL('../fixtures/releases/', import.meta.url));
const RESERVE = 'reserve.bin';
const DIRECTORIES = ['journal', 'backup'] as const;
const TABLES = ['TAG_DATA', 'MQTT_BRIDGE_LEDGER'];

export interface Fixture {
  readonly version: string;
  readonly cut: Cut;
  readonly directory: string;
}

/** All that are kept. */
export function listFixtures(): Fixture[] {
  return readdirSync(FIXTURES).flatMap((version) =>
    (readdirSync(join(FIXTURES, version)) as Cut[]).map((cut) => {
      return { version, cut, directory: join(FIXTURES, version, cut) };
    }),
  );
}

/** Replaces what is kept of the version. */
export async function removeFixtures(version: string): Promise<void> {
  await rm(join(FIXTURES, version), { recursive: true, force: true });
}

/** `from`: the directory in which the bridge was cut off. Returns where it is kept. */
export async function saveFixture(version: string, cut: Cut, from: string, left: LeftBehind): Promise<string> {
  const directory = join(FIXTURES, version, cut);
  await mkdir(directory, { recursive: true });
  for (const name of DIRECTORIES) {
    await cp(join(from, name), join(directory, name), { recursive: true, filter: (path) => !path.endsWith(RESERVE) });
  }
  const write = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text);
  await write('bridge.json', `${JSON.stringify(CONFIG, undefined, 2)}\n`);
  await write('database.sql', await dump(left.neighbours.standin));
  await write('published.json', `${JSON.stringify([...left.obligations.values()], undefined, 1)}\n`);
  return directory;
}

export interface LoadedFixture {
  readonly config: typeof CONFIG;
  readonly obligations: ReadonlyMap<string, Obligation>;
}

/** Copies the files into the directory, and makes the tables in the stand-in. */
export async function loadFixture(fixture: Fixture, to: string, standin: Standin): Promise<LoadedFixture> {
  const text = (name: string): Promise<string> => readFile(join(fixture.directory, name), 'utf8');
  for (const name of DIRECTORIES) await cp(join(fixture.directory, name), join(to, name), { recursive: true });
  await runDdl(standin, await text('database.sql'));
  const published = JSON.parse(await text('published.json')) as Obligation[];
  return {
    config: JSON.parse(await text('bridge.json')) as typeof CONFIG,
    obligations: new Map(published.map((each) => [each.name, each])),
  };
}

/** What lies in its directories: the number of segments, and the CSV files and their notes without dates. */
export function contentOf({ directory }: Fixture): { readonly segments: number; readonly backups: readonly string[] } {
  const names = (folder: string): string[] => readdirSync(join(directory, folder));
  return {
    segments: names('journal').filter((name) => name.startsWith('segment-')).length,
    backups: names('backup').map((name) => name.replace(/\d{8}_\d{6}/, '…')),
  };
}

async function dump(standin: Standin): Promise<string> {
  const statements = [TABLES_DDL.trim()];
  for (const table of TABLES) {
    for (const row of await standin.engine.query(`SELECT * FROM ${table}`, 'BRIDGE')) {
      const columns = Object.keys(row).map((name) => `"${name}"`);
      const values = Object.values(row).map(literal);
      statements.push(`INSERT INTO "${table}" (${columns.join(', ')}) VALUES (${values.join(', ')});`);
    }
  }
  return `${statements.join('\n')}\n`;
}

function literal(value: Value): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'number') return String(value);
  if (value instanceof Decimal) return value.text;
  if (!(value instanceof Timestamp)) throw new Error('no such column is in these tables');
  const seconds = new Date(value.ms).toISOString().replace('T', ' ').replace('Z', '');
  return `TIMESTAMP '${seconds}${String(value.ns).padStart(6, '0')}'`;
}
