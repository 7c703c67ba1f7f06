import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

import { findCircles } from './layout/circles.ts';
import { absentFiles, MAX_COMMENT_COLUMNS, wideComments } from './layout/comments.ts';
import { codeOf, importsOf, readSource, repositoryFiles, type SourceFile } from './layout/sources.ts';

const MAX_LINES = 400;

/** Which folders or files of src/ a place may import besides itself; `*` is every one but cli/ and main.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: [
    'core',
    'payload/format.ts',
    'payload/formats.ts',
    'payload/value-fields.ts',
    'payload/value-meanings.ts',
    'payload/filter/filter-fields.ts',
    'payload/filter/filter-options.ts',
  ],
  mqtt: ['core'],
  journal: ['core'],
  payload: ['core'],
  buffer: ['core'],
  stream: ['core'],
  writer: ['core', 'stream'],
  oracle: ['core'],
  backup: ['core', 'stream'],
  notices: ['core'],
  ops: ['core'],
  // A lane is put together here; who makes the lanes is the pipeline.
  lanes: ['core', 'buffer', 'journal', 'writer'],
  preflight: ['core', 'config', 'mqtt', 'oracle', 'payload/formats.ts'],
  'broker-session.ts': ['*'],
  'storage.ts': ['*'],
  'stored-formats.ts': ['*'],
  'message-reading.ts': ['*'],
  'try-message.ts': ['*'],
  'resume.ts': ['*', 'broker-session.ts'],
  'pipeline.ts': ['*', 'broker-session.ts', 'message-reading.ts', 'storage.ts', 'resume.ts', 'try-message.ts'],
  'offline-replay.ts': ['*', 'storage.ts', 'resume.ts'],
  'status-server.ts': ['*', 'pipeline.ts'],
  'status-sources.ts': ['*', 'pipeline.ts', 'broker-side.ts'],
  'bridge.ts': ['*', 'pipeline.ts', 'broker-side.ts', 'status-server.ts', 'status-sources.ts', 'stored-formats.ts'],
  'broker-side.ts': ['*', 'pipeline.ts'],
  cli: ['*', 'bridge.ts', 'offline-replay.ts', 'stored-formats.ts', 'try-message.ts'],
  'main.ts': ['cli'],
};

/** The one place of each package. A package without a place is a breach too. */
const DOORS: Readonly<Record<string, string>> = {
  mqtt: 'src/mqtt/',
  'mqtt-packet': 'src/mqtt/connection/',
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
  const isStage = wanted !== 'cli' && !wanted.endsWith('.ts');
  const isNamed = allowed.includes(wanted) || allowed.includes(target.slice('src/'.length));
  const isAllowed = wanted === place || isNamed || (allowed.includes('*') && isStage);
  return isAllowed ? undefined : `${path} imports ${target}`;
}

function breachesOf(source: SourceFile): string[] {
  const { path, text } = source;
  const found: (string | undefined)[] = [];
  const lines = text.split('\n');
  if (lines.length - 1 > MAX_LINES) found.push(`${path} has ${lines.length - 1} lines, more than ${MAX_LINES}`);
  if (path.startsWith('src/')) {
    if (!Object.hasOwn(MAY_IMPORT, placeOf(path))) found.push(`${path} lies in no place of the design`);
    found.push(...importsOf(source).map((imported) => importBreach(path, imported)));
    // The scripts of the page run in a browser: its clock and timers are theirs.
    const code = path.endsWith('.js') ? '' : codeOf(text);
    for (const { word, what, places } of GUARDED) {
      const isPlace = places.some((each) => path.startsWith(each));
      if (!isPlace && word.test(code)) found.push(`${path} uses ${what} (${word.exec(code)![0]}) outside of its place`);
    }
  }
  return found.filter((breach) => breach !== undefined);
}

const FILES = repositoryFiles();
const SOURCES = FILES.filter((path) => /^(?:src|test|scripts)\/.*\.(?:ts|js)$/.test(path)).map(readSource);
const DOCUMENTS = FILES.filter((path) => path.endsWith('.md')).map(readSource);

describe('the layout', () => {
  it('keeps the import rules, the places of packages, time and process, and the length of files', () => {
    expect(SOURCES.length).toBeGreaterThan(20);
    expect(SOURCES.flatMap((source) => breachesOf(source))).toEqual([]);
  });

  it('has no circle of imports in src/', () => {
    expect(findCircles(SOURCES.filter(({ path }) => path.startsWith('src/')))).toEqual([]);
  });

  it('names no document or source that is not there, in comments and documents', () => {
    expect(DOCUMENTS.length).toBeGreaterThan(5);
    expect([...SOURCES, ...DOCUMENTS].flatMap((source) => absentFiles(source, FILES))).toEqual([]);
  });

  it(`keeps comments to ${MAX_COMMENT_COLUMNS} columns`, () => {
    expect(SOURCES.flatMap((source) => wideComments(source))).toEqual([]);
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
    ['someone imports a test', 'src/core/a.ts', `import { FakeClock } from '../support/fake-clock.ts';`],
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
    [
      'a script of the page takes a type of a stage',
      'src/ops/page/a.js',
      `/** @typedef {import('../../backup/replay/listing.ts').ListedFile} ListedFile */`,
    ],
    ['a script of the page imports a stage', 'src/ops/page/a.js', `import { x } from '../../mqtt/a.ts';`],
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
    [
      'a script of the page imports its own, and asks its own clock',
      'src/ops/page/a.js',
      `/** @import {Status} from '../status.ts' */\nimport './dom.js';\nconst now = Date.now();`,
    ],
    ['a file is as long as it may be', 'src/core/a.ts', 'x\n'.repeat(MAX_LINES)],
    ['a test does what a test does', 'test/unit/a.test.ts', `import x from 'aedes';\nsetTimeout(x, 5);`],
  ])('but not when %s', (_what, path, text) => {
    expect(breachesOf({ path, text })).toEqual([]);
  });
});

describe('a circle of imports', () => {
  const file = (path: string, ...imported: readonly string[]): SourceFile => ({
    path,
    text: imported.map((each) => `import { x } from '${each}';`).join('\n'),
  });

  it('is found by its shortest way, once, over folders and by a type alone', () => {
    const type = { path: 'src/a/two.ts', text: `import type { X } from '../b/three.ts';` };
    const circle = [file('src/a/one.ts', './two.ts', './four.ts'), type, file('src/b/three.ts', '../a/one.ts')];
    expect(findCircles([...circle, file('src/a/four.ts', './two.ts')])).toEqual([
      'src/a/one.ts → src/a/two.ts → src/b/three.ts → src/a/one.ts',
    ]);
  });

  it('is found by an import that is made later, and by a type in a comment of a script', () => {
    const later = [{ path: 'src/a/one.ts', text: `await import('./two.ts');` }, file('src/a/two.ts', './one.ts')];
    const script = [
      { path: 'src/b/one.js', text: `/** @typedef {import('./two.js').X} X */` },
      file('src/b/two.js', './one.js'),
    ];
    expect(findCircles([...later, ...script])).toEqual([
      'src/a/one.ts → src/a/two.ts → src/a/one.ts',
      'src/b/one.js → src/b/two.js → src/b/one.js',
    ]);
  });

  it('is not found where two ways lead to one file, and where only a comment speaks of an import', () => {
    const fork = [file('src/a/one.ts', './two.ts', './three.ts'), file('src/a/two.ts', './three.ts')];
    expect(findCircles([...fork, { path: 'src/a/three.ts', text: `// import './one.ts';` }])).toEqual([]);
  });
});

describe('a comment', () => {
  const wide = 'x'.repeat(MAX_COMMENT_COLUMNS + 1);

  it.each([
    ['in a block', `/**\n * ${wide}\n */`],
    ['of one line', `// ${wide}`],
    ['behind code', `const x = 1; // ${wide}`],
  ])('that is too wide is found %s', (_where, text) => {
    expect(wideComments({ path: 'src/a.ts', text })).toHaveLength(1);
  });

  it('is not too wide at 120 columns of any letters, nor is code, nor a text that has slashes in it', () => {
    const letters = `// ${'µ'.repeat(MAX_COMMENT_COLUMNS - 3)}`;
    const text = [letters, `const a = '${wide}';`, `const b = 'see // ${wide}';`].join('\n');
    expect(wideComments({ path: 'src/a.ts', text })).toEqual([]);
  });

  const files = ['src/bridge.ts', 'docs/metrics.md'];

  it.each([
    ['a comment', 'src/a.ts', '/** What may be done (INTERFACE.md, "HTTP"). */'],
    ['a comment behind code', 'src/a.ts', 'const x = 1; // see core/gone.ts'],
    ['a comment of a script', 'src/a.js', '// see gone.js'],
    ['a document', 'docs/a.md', 'See [the design](../DESIGN.md).'],
  ])('that names a file that is not there is found in %s', (_where, path, text) => {
    expect(absentFiles({ path, text }, files)).toHaveLength(1);
  });

  it.each([
    ['a file of ours, with folders or without', 'src/a.ts', '// see bridge.ts, src/bridge.ts and metrics.md.'],
    ['a file of ours from a document', 'docs/a.md', '[metrics](metrics.md), [the bridge](../src/bridge.ts)'],
    ['a file elsewhere', 'docs/a.md', 'https://example.com/DESIGN.md, /etc/bridge/README.md and ~/notes.md'],
    [
      'the built product, and a package',
      'src/a.ts',
      '// node dist/main.js; mqtt.js does; [node-oracledb lib/errors.js]',
    ],
    ['a text of the code', 'src/a.ts', `const path = 'gone.ts';`],
  ])('may name %s', (_what, path, text) => {
    expect(absentFiles({ path, text }, files)).toEqual([]);
  });
});
