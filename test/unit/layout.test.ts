import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const MAX_LINES = 400;

interface SourceFile {
  /** From the root of the repository, with slashes: `src/core/clock.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Which folders or files of src/ a place may import besides itself; `*` is every one but cli/ and main.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: ['core', 'payload/format.ts', 'payload/formats.ts'],
  mqtt: ['core'],
  journal: ['core'],
  payload: ['core'],
  buffer: ['core'],
  writer: ['core'],
  oracle: ['core'],
  backup: ['core'],
  notices: ['core', 'backup'],
  ops: ['core'],
  preflight: ['core', 'config', 'mqtt', 'oracle', 'payload/formats.ts'],
  'pipeline.ts': ['*'],
  'offline-replay.ts': ['*'],
  'status-server.ts': ['*', 'pipeline.ts'],
  'bridge.ts': ['*', 'pipeline.ts', 'status-server.ts'],
  cli: ['*', 'bridge.ts', 'offline-replay.ts'],
  'main.ts': ['cli'],
};

/** The one place of each package. A package without a place is a breach too. */
const DOORS: Readonly<Record<string, string>> = {
  mqtt: 'src/mqtt/',
  oracledb: 'src/oracle/',
  convict: 'src/config/',
  winston: 'src/core/logger.ts',
  'prom-client': 'src/ops/',
  uplot: 'src/ops/',
};

/** Words of the code and where alone they may stand. */
const GUARDED: readonly { readonly word: RegExp; readonly what: string; readonly places: readonly string[] }[] = [
  { word: /\bprocess\.(?:env|exit|exitCode|on|once)\b/, what: 'the process', places: ['src/cli/', 'src/main.ts'] },
  {
    word: /\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval)\s*\(|\bMath\.random\b|\bperformance\.now\b|\bhrtime\b/,
    what: 'time and chance',
    places: ['src/core/clock.ts'],
  },
  {
    word: /\bAbortSignal\.timeout\b|['"]node:timers/,
    what: 'timers',
    places: ['src/core/clock.ts'],
  },
];

/** All that a file imports or exports from, types included, static or dynamic. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/(?<![.\w])(?:from|import)\s*\(?\s*['"](?<from>[^'"]+)['"]/g)].map(
    (match) => match.groups!['from']!,
  );
}

/** The folder of src/ that a path lies in, or the file right in src/. */
function placeOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function importBreach(path: string, imported: string): string | undefined {
  if (imported.startsWith('node:')) return undefined;
  const place = placeOf(path);
  if (!imported.startsWith('.')) {
    const name = imported.split('/', imported.startsWith('@') ? 2 : 1).join('/');
    const door = DOORS[name];
    if (door === undefined) return `${path} imports ${name}, which has no place in src/`;
    return path.startsWith(door) ? undefined : `${path} imports ${name}, whose place is ${door}`;
  }
  const target = posix.join(posix.dirname(path), imported);
  if (!target.startsWith('src/')) return place === 'cli' ? undefined : `${path} imports ${target}, outside of src/`;
  const wanted = placeOf(target);
  const allowed = MAY_IMPORT[place] ?? [];
  const isStage = !['cli', 'main.ts', 'bridge.ts', 'offline-replay.ts', 'pipeline.ts', 'status-server.ts'].includes(
    wanted,
  );
  const isNamed = allowed.includes(wanted) || allowed.includes(target.slice('src/'.length));
  const isAllowed = wanted === place || isNamed || (allowed.includes('*') && isStage);
  return isAllowed ? undefined : `${path} imports ${target}`;
}

function breachesOf({ path, text }: SourceFile): string[] {
  const found: (string | undefined)[] = [];
  const lines = text.split('\n');
  if (lines.length - 1 > MAX_LINES) found.push(`${path} has ${lines.length - 1} lines, more than ${MAX_LINES}`);
  if (path.startsWith('src/')) {
    if (!Object.hasOwn(MAY_IMPORT, placeOf(path))) found.push(`${path} lies in no place of the design`);
    const code = lines.filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line)).join('\n');
    found.push(...importsOf(code).map((imported) => importBreach(path, imported)));
    for (const { word, what, places } of GUARDED) {
      const isPlace = places.some((each) => path.startsWith(each));
      if (!isPlace && word.test(code)) found.push(`${path} uses ${what} (${word.exec(code)![0]}) outside of its place`);
    }
  }
  return found.filter((breach) => breach !== undefined);
}

function readSources(directory: string): SourceFile[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: file.slice(ROOT.length + 1).replaceAll('\\', '/'), text: readFileSync(file, 'utf8') }));
}

describe('the layout', () => {
  it('keeps the import rules, the places of packages, time and process, and the length of files', () => {
    const sources = ['src', 'test', 'scripts'].flatMap((directory) => readSources(directory));
    expect(sources.length).toBeGreaterThan(20);
    expect(sources.flatMap((source) => breachesOf(source))).toEqual([]);
  });
});

describe('a breach of the layout is found when', () => {
  it.each([
    ['core imports a stage', 'src/core/a.ts', `import { x } from '../mqtt/source.ts';`],
    ['core imports the configuration, as a type', 'src/core/a.ts', `import type { X } from '../config/config.ts';`],
    ['the configuration imports a stage', 'src/config/a.ts', `import '../oracle/ledger.ts';`],
    ['the configuration imports a decoder', 'src/config/a.ts', `import '../payload/decoder.ts';`],
    ['a stage imports another', 'src/writer/a.ts', `import { x } from '../oracle/session.ts';`],
    ['a stage imports another, over lines', 'src/writer/a.ts', `import {\n  x,\n} from '../oracle/session.ts';`],
    ['a stage exports from another', 'src/writer/a.ts', `export * from '../buffer/tag-buffer.ts';`],
    ['a stage imports another later', 'src/ops/a.ts', `await import('../writer/batch-writer.ts');`],
    ['a stage imports the configuration', 'src/mqtt/a.ts', `import type { Config } from '../config/config.ts';`],
    ['a stage imports the bridge', 'src/ops/a.ts', `import { Bridge } from '../bridge.ts';`],
    ['a stage imports the pipeline', 'src/ops/a.ts', `import { Pipeline } from '../pipeline.ts';`],
    ['a folder within a stage imports another stage', 'src/ops/page/a.ts', `import { x } from '../../mqtt/a.ts';`],
    ['the bridge imports the command line', 'src/bridge.ts', `import { x } from './cli/run.ts';`],
    ['main imports the bridge', 'src/main.ts', `import { Bridge } from './bridge.ts';`],
    ['someone imports main', 'src/cli/a.ts', `import '../main.ts';`],
    ['someone imports a test', 'src/core/a.ts', `import { FakeClock } from '../../test/support/fake-clock.ts';`],
    ['a package is used outside of its place', 'src/writer/a.ts', `import oracledb from 'oracledb';`],
    ['a part of a package is used outside of its place', 'src/backup/a.ts', `import x from "mqtt/build/lib.js";`],
    ['winston is used beside the logger', 'src/core/log-file.ts', `import winston from 'winston';`],
    ['a package has no place', 'src/core/a.ts', `import { z } from '@scope/package/part';`],
    ['a stage reads the environment', 'src/mqtt/a.ts', `const home = process.env['HOME'];`],
    ['a stage ends the process', 'src/mqtt/a.ts', `process.exit(1);`],
    ['a stage listens to signals', 'src/bridge.ts', `process.on('SIGTERM', stop);`],
    ['a stage asks for the time', 'src/mqtt/a.ts', `const now = Date.now();`],
    ['a stage makes a date of now', 'src/mqtt/a.ts', `const now = new Date();`],
    ['a stage sets a timer', 'src/mqtt/a.ts', `setTimeout(run, 5);`],
    ['a stage sets an interval', 'src/cli/a.ts', `setInterval(run, 5);`],
    ['a stage waits by a package of timers', 'src/cli/a.ts', `import { setTimeout } from 'node:timers/promises';`],
    ['a stage sets a timer by a signal', 'src/cli/a.ts', `fetch(url, { signal: AbortSignal.timeout(5) });`],
    ['a stage takes a chance', 'src/writer/a.ts', `const x = Math.random();`],
    ['a stage measures', 'src/writer/a.ts', `const x = performance.now();`],
    ['a folder is none of the design', 'src/utils/a.ts', `export const x = 1;`],
    ['a file is too long', 'test/unit/a.test.ts', 'x\n'.repeat(MAX_LINES + 1)],
  ])('%s', (_what, path, text) => {
    expect(breachesOf({ path, text })).toHaveLength(1);
  });

  it.each([
    ['core imports itself', 'src/core/a.ts', `import type { Clock } from './clock.ts';`],
    ['a stage imports core and itself', 'src/ops/a.ts', `import '../core/clock.ts';\nimport './status.ts';`],
    ['the configuration imports the list of formats', 'src/config/a.ts', `import '../payload/formats.ts';`],
    ['the bridge imports stages', 'src/bridge.ts', `import './mqtt/source.ts';\nimport './config/config.ts';`],
    ['the command line imports the bridge', 'src/cli/run.ts', `import { Bridge } from '../bridge.ts';`],
    ['main imports the command line', 'src/main.ts', `import { runCli } from './cli/run-cli.ts';`],
    ['a package is used in its place', 'src/oracle/a.ts', `import oracledb from 'oracledb';`],
    [
      'a comment speaks of it',
      'src/core/a.ts',
      `/**\n * import x from '../mqtt/a.ts'; Date.now()\n */\n// process.exit()`,
    ],
    ['a file is as long as it may be', 'src/core/a.ts', 'x\n'.repeat(MAX_LINES)],
    ['a test does what a test does', 'test/unit/a.test.ts', `import x from 'aedes';\nsetTimeout(x, 5);`],
  ])('but not when %s', (_what, path, text) => {
    expect(breachesOf({ path, text })).toEqual([]);
  });
});
