/*
 * Makes a release in the checkout it is called in: nothing leaves this machine.
 *
 *   npm run release -- VERSION [--dry-run] [--skip-tests]     VERSION: 1.2.3, or major, minor or patch
 *
 * Refused with changes that are not committed, with a tag that is there, and with nothing pending in CHANGELOG.md. Then
 * the tests run; then the version is written everywhere it stands, what was pending in the changelog gets it as its
 * heading, the state that this version leaves behind is kept for the upgrade test, and all of it is committed and
 * tagged. Tarball, notes, SBOM and licences lie in release/<version>/. --dry-run prints the notes and what would be
 * done, and changes nothing.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { pendingNotes, releaseNotes } from './release/changelog.ts';
import { nextVersion, Refusal } from './release/version.ts';

const MANIFEST = 'deploy/kubernetes/statefulset.yaml';
const IMAGE = /image: mqtt-oracle-bridge:\S+/;

interface Plan {
  readonly version: string;
  readonly tag: string;
  readonly notes: string;
  /** For what is given on: tarball, notes, SBOM. */
  readonly out: string;
}

const read = (path: string): string => readFileSync(path, 'utf8');
const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
/** Its output is shown. */
const show = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
};

function plan(wanted: string): Plan {
  const { version: current } = JSON.parse(read('package.json')) as { version: string };
  const isReleased = git('tag', '--list', `v${current}`) !== '';
  const version = nextVersion(current, wanted, isReleased);
  const tag = `v${version}`;
  if (git('tag', '--list', tag) !== '') throw new Refusal(`the tag ${tag} is there already`);
  const changes = git('status', '--porcelain');
  if (changes !== '') throw new Refusal(`there are changes that are not committed:\n${changes}`);
  const notes = pendingNotes(read('CHANGELOG.md'));
  if (notes === '') throw new Refusal('nothing stands in CHANGELOG.md under "## Pending"');
  return { version, tag, notes, out: join('release', version) };
}

function writeVersion({ version }: Plan): void {
  show('npm', 'version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts');
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync('CHANGELOG.md', releaseNotes(read('CHANGELOG.md'), version, date));
  if (!existsSync(MANIFEST)) return;
  writeFileSync(MANIFEST, read(MANIFEST).replace(IMAGE, `image: mqtt-oracle-bridge:${version}`));
}

function release({ notes, out, tag, version }: Plan): void {
  writeVersion({ notes, out, tag, version });
  show('npm', 'run', '--silent', 'release-fixture');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'notes.md'), `# ${version}\n\n${notes}\n`);
  show('npm', 'run', '--silent', 'sbom', '--', '--out', out);
  show('npm', 'pack', '--silent', '--pack-destination', out);
  git('add', '--all');
  git('commit', '--quiet', '--message', `Release ${version}`);
  // The notes as they are: their headings are no remarks.
  git('tag', '--annotate', tag, '--cleanup=verbatim', '--message', `${version}\n\n${notes}\n`);
}

function main(): void {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false }, 'skip-tests': { type: 'boolean', default: false } },
  });
  const [wanted, ...more] = positionals;
  if (wanted === undefined || more.length > 0) throw new Refusal('one VERSION is needed: 1.2.3, major, minor or patch');
  const planned = plan(wanted);
  const { notes, out, tag, version } = planned;
  process.stdout.write(`${version}\n\n${notes}\n\n`);
  if (values['dry-run']) {
    process.stdout.write(`Not done: the tests, the commit "Release ${version}", the tag ${tag}, the files in ${out}\n`);
    return;
  }
  if (!values['skip-tests']) show('npm', 'test');
  release(planned);
  process.stdout.write(
    `Committed and tagged as ${tag}; tarball, notes, SBOM and licences: ${out}. To give it on: git push --follow-tags\n`,
  );
}

try {
  main();
} catch (error) {
  const { message } = error as Error;
  process.stderr.write(`release: ${message}\n`);
  if (!(error instanceof Refusal))
    process.stderr.write('release: `git status` says what was changed; `git restore .` takes it back\n');
  process.exitCode = 1;
}
