import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isAllowedLicence } from '../../scripts/sbom/licences.ts';
import { ROOT, run, type Ended } from './tools.ts';

interface Lock {
  readonly packages: Record<string, { dev?: boolean; license?: string; version?: string }>;
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sbom-test-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const lock = (): Lock => JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
const makeSbom = (cwd: string): Promise<Ended> =>
  run(process.execPath, ['--import', import.meta.resolve('tsx'), join(ROOT, 'scripts/sbom.ts'), '--out', directory], {
    cwd,
  });

describe('npm run sbom', () => {
  it('names each package that is installed with the bridge, with its licence, and no other', async () => {
    expect(await makeSbom(ROOT)).toMatchObject({ exitCode: 0, stderr: '' });
    const sbom = JSON.parse(readFileSync(join(directory, 'sbom.cdx.json'), 'utf8')) as {
      readonly bomFormat: string;
      readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
      readonly components: readonly { readonly name: string; readonly version: string; readonly hashes?: unknown }[];
    };
    const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, string>;
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name, version } } });
    const paths = Object.entries(lock().packages).filter(([path, { dev }]) => path !== '' && dev !== true);
    const names = paths.map(([path, each]) => `${path.split('node_modules/').at(-1)} ${each.version}`);
    const installed = [...new Set(names)].sort();
    expect(sbom.components.map((each) => `${each.name} ${each.version}`).sort()).toEqual(installed);
    expect(sbom.components.filter(({ hashes }) => hashes === undefined)).toEqual([]);
    // Both of these are needed by development as well, which npm by itself takes for a reason to leave them out.
    expect(installed.join('\n')).toMatch(/^mqtt-packet [\s\S]*^readable-stream 4/m);
    const rows = readFileSync(join(directory, 'licences.md'), 'utf8').match(/^\| \S+ \| \d.* \|$/gm)!;
    expect(rows.map((row) => row.split(' | ').slice(0, 2).join(' ').slice(2)).sort()).toEqual(installed);
    expect(rows).toContainEqual(expect.stringMatching(/^\| oracledb \| \S+ \| \(Apache-2\.0 OR UPL-1\.0\) \|$/));
  });

  it.each([
    ['GPL-3.0-only', /winston@\S+: the licence "GPL-3\.0-only" is none of 0BSD, /],
    [undefined, /winston@\S+: the licence "" is none of /],
  ])('fails on the licence %s', async (license, complaint) => {
    const changed = lock();
    const winston = changed.packages['node_modules/winston']!;
    if (license === undefined) delete winston.license;
    else winston.license = license;
    writeFileSync(join(directory, 'package.json'), readFileSync(join(ROOT, 'package.json')));
    writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(changed));
    expect(await makeSbom(directory)).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(complaint) });
  });
});

describe('a licence', () => {
  it.each([
    ['MIT', true],
    ['(Apache-2.0 OR UPL-1.0)', true],
    ['GPL-2.0-only OR MIT', true],
    ['MIT OR GPL-2.0-only', true],
    ['MIT AND ISC', true],
    ['MIT AND (GPL-2.0-only OR BSD-3-Clause)', true],
    ['MIT AND GPL-2.0-only', false],
    ['GPL-2.0-only AND MIT', false],
    ['MIT AND ISC OR GPL-2.0-only AND MIT', true],
    ['GPL-2.0-only', false],
    ['Apache-2.0 WITH LLVM-exception', false],
    ['SEE LICENSE IN LICENSE.txt', false],
    ['(MIT', false],
    ['MIT)', false],
    ['', false],
  ])('%s is allowed: %s', (expression, isAllowed) => {
    expect(isAllowedLicence(expression)).toBe(isAllowed);
  });
});
