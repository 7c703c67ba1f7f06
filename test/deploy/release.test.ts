import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { nextVersion } from '../../scripts/release/version.ts';
import { ROOT, run, type Ended } from './tools.ts';

const NOTES = '- One thing.\n\n### With a heading\n\n- And $& another.';
const FIXTURE = 'test/fixtures/releases';

/** A repository with what the command touches; its scripts leave a trace where those of the real one take minutes. */
const MANIFEST = {
  name: 'mqtt-oracle-bridge',
  version: '0.1.0',
  private: true,
  scripts: {
    test: "node -e \"fs.appendFileSync('../ran', 'test '); process.exit(fs.existsSync('../red') ? 1 : 0)\"",
    'release-fixture': `node -e "fs.mkdirSync('${FIXTURE}/'+process.env.npm_package_version,{recursive:true});fs.writeFileSync('${FIXTURE}/'+process.env.npm_package_version+'/made','')"`,
    sbom: "node -e \"fs.writeFileSync(process.argv[2]+'/sbom.cdx.json', '{}')\" --",
  },
};

let directory: string;
let checkout: string;

const read = (path: string): string => readFileSync(join(checkout, path), 'utf8');
const git = async (...args: string[]): Promise<string> => (await run('git', args, { cwd: checkout })).stdout.trim();
const release = (...args: readonly string[]): Promise<Ended> =>
  run(process.execPath, ['--import', import.meta.resolve('tsx'), join(ROOT, 'scripts/release.ts'), ...args], {
    cwd: checkout,
  });
const ran = (): string => (existsSync(join(directory, 'ran')) ? readFileSync(join(directory, 'ran'), 'utf8') : '');

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'release-'));
  checkout = join(directory, 'checkout');
  mkdirSync(join(checkout, 'deploy/kubernetes'), { recursive: true });
  cpSync(join(ROOT, 'deploy/kubernetes/statefulset.yaml'), join(checkout, 'deploy/kubernetes/statefulset.yaml'));
  const lock = { name: MANIFEST.name, version: MANIFEST.version, lockfileVersion: 3, packages: { '': MANIFEST } };
  writeFileSync(join(checkout, 'package.json'), JSON.stringify(MANIFEST, undefined, 2));
  writeFileSync(join(checkout, 'package-lock.json'), JSON.stringify(lock, undefined, 2));
  writeFileSync(join(checkout, 'CHANGELOG.md'), `# Changelog\n\n## Pending\n\n${NOTES}\n`);
  writeFileSync(join(checkout, '.gitignore'), 'release/\n');
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('config', 'user.name', 'Someone');
  await git('config', 'user.email', 'someone@example.com');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'all');
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('npm run release', () => {
  it('releases the version that no tag has yet, and then a later one', async () => {
    expect(await release('0.1.0')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(NOTES) });
    expect(ran()).toBe('test ');
    expect(await git('status', '--porcelain')).toBe('');
    expect(await git('log', '-1', '--format=%s')).toBe('Release 0.1.0');
    expect(await git('rev-parse', 'v0.1.0^{commit}')).toBe(await git('rev-parse', 'HEAD'));
    expect(await git('tag', '--list', '--format=%(contents)', 'v0.1.0')).toBe(`0.1.0\n\n${NOTES}`);
    expect(read('CHANGELOG.md')).toMatch(/^# Changelog\n\n## Pending\n\n## 0\.1\.0 — \d{4}-\d\d-\d\d\n\n- One thing\./);
    expect(existsSync(join(checkout, FIXTURE, '0.1.0/made'))).toBe(true);
    const files = readdirSync(join(checkout, 'release/0.1.0')).sort();
    expect(files).toEqual(['mqtt-oracle-bridge-0.1.0.tgz', 'notes.md', 'sbom.cdx.json']);

    expect(await release('minor')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('"## Pending"') });
    writeFileSync(
      join(checkout, 'CHANGELOG.md'),
      read('CHANGELOG.md').replace('## Pending\n', '## Pending\n\n- More.\n'),
    );
    await git('commit', '--quiet', '--all', '--message', 'more');
    expect(await release('minor', '--skip-tests')).toMatchObject({ exitCode: 0 });
    expect(ran()).toBe('test ');
    for (const file of ['package.json', 'package-lock.json']) expect(read(file)).toContain('"version": "0.2.0"');
    expect(read('deploy/kubernetes/statefulset.yaml')).toContain('image: mqtt-oracle-bridge:0.2.0\n');
    expect(readFileSync(join(checkout, 'release/0.2.0/notes.md'), 'utf8')).toBe('# 0.2.0\n\n- More.\n');
    expect(await git('tag', '--list')).toBe('v0.1.0\nv0.2.0');
    expect(await release('0.2.0')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('greater than 0.2.0'),
    });
  });

  it('changes nothing in a dry run', async () => {
    const { exitCode, stdout } = await release('0.1.0', '--dry-run');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(NOTES) });
    expect(await git('status', '--porcelain', '--ignored')).toBe('');
    expect([await git('tag', '--list'), ran()]).toEqual(['', '']);
  });

  it('refuses a tree with changes, a test that fails and what is no version, and leaves all as it was', async () => {
    writeFileSync(join(directory, 'red'), '');
    expect(await release('0.1.0')).toMatchObject({ exitCode: 1 });
    expect([ran(), await git('status', '--porcelain', '--ignored')]).toEqual(['test ', '']);
    for (const wrong of [['1.2'], ['v1.2.3'], [], ['0.1.0', '0.2.0'], ['0.0.9']]) {
      expect(await release(...wrong)).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/version/i) });
    }
    writeFileSync(join(checkout, 'new'), '');
    expect(await release('0.1.0')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('?? new') });
    expect(await git('tag', '--list')).toBe('');
  });
});

describe('the next version', () => {
  it.each([
    ['1.2.3', 'patch', '1.2.4'],
    ['1.2.3', 'minor', '1.3.0'],
    ['1.2.3', 'major', '2.0.0'],
    ['1.2.3', '1.10.0', '1.10.0'],
  ])('of %s by %s is %s', (current, wanted, expected) => {
    expect(nextVersion(current, wanted, true)).toBe(expected);
  });
});
