/*
 * Writes what the bridge is made of, from package.json and package-lock.json of the working directory: an SBOM
 * (CycloneDX, by `npm sbom`) and a list of the licences. Needs no network. Fails, after it has written both, where a
 * licence is not allowed (scripts/sbom/licences.ts).
 *
 *   npm run sbom [-- --out DIR]     default: sbom/
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { ALLOWED_LICENCES, isAllowedLicence } from './sbom/licences.ts';
import {
  nameOf,
  runtimePackages,
  withoutDevelopment,
  type Lock,
  type RuntimePackage,
} from './sbom/runtime-packages.ts';

interface Sbom {
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/**
 * Not by `npm sbom --omit dev` on the checkout itself: npm 11 leaves out every package that a development dependency
 * needs as well, here a third of them.
 */
async function makeSbom(manifest: Manifest, lock: Lock): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sbom-'));
  // npm calls the whole by the name of its directory.
  const directory = join(root, manifest.name);
  try {
    await mkdir(directory);
    const kept = { ...manifest, devDependencies: undefined };
    await writeFile(join(directory, 'package.json'), JSON.stringify(kept));
    await writeFile(join(directory, 'package-lock.json'), JSON.stringify(withoutDevelopment(lock)));
    const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
    return (await promisify(execFile)('npm', args, { cwd: directory, maxBuffer: 2 ** 26 })).stdout;
  } finally {
    await rm(root, { recursive: true });
  }
}

function licenceList({ name, version }: Manifest, packages: readonly RuntimePackage[]): string {
  const rows = packages.map((each) => `| ${each.name} | ${each.version} | ${each.licence || 'none said'} |`);
  return [
    `# Licences of what ${name} ${version} installs`,
    '',
    'The texts lie in each package, in `node_modules`.',
    '',
    '| package | version | licence |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

const { values } = parseArgs({ options: { out: { type: 'string', default: 'sbom' } } });
const manifest = JSON.parse(await readFile('package.json', 'utf8')) as Manifest;
const lock = JSON.parse(await readFile('package-lock.json', 'utf8')) as Lock;
const packages = runtimePackages(lock);
const text = await makeSbom(manifest, lock);
const named = new Set((JSON.parse(text) as Sbom).components.map(nameOf));
const forgotten = packages.map(nameOf).filter((name) => !named.has(name));
if (forgotten.length > 0) throw new Error(`npm sbom has left out ${forgotten.join(', ')}`);
await mkdir(values.out, { recursive: true });
await writeFile(join(values.out, 'sbom.cdx.json'), text);
await writeFile(join(values.out, 'licences.md'), licenceList(manifest, packages));
const refused = packages.filter(({ licence }) => !isAllowedLicence(licence));
for (const { licence, ...each } of refused) {
  process.stderr.write(`${nameOf(each)}: the licence "${licence}" is none of ${[...ALLOWED_LICENCES].join(', ')}\n`);
}
process.stdout.write(`${values.out}/sbom.cdx.json and ${values.out}/licences.md: ${packages.length} packages\n`);
if (refused.length > 0) process.exitCode = 1;
