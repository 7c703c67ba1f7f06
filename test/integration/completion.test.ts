import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../../src/cli/cli.ts';
import { BUILT_BRIDGE } from '../support/built-bridge.ts';

/** A name that a careless script would run. */
const HOSTILE = 'x$(touch ran)`touch ran`.csv';
const BACKUP = 'backup_20251102_143000.csv';
const SPACED = 'a copy.csv';

let directory = '';

/** The command by its name in PATH, and three files in the directory of backups. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'completion-'));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${BUILT_BRIDGE}' "$@"\n`;
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'bin', 'mqtt-oracle-bridge'), command, { mode: 0o755 });
  await mkdir(join(directory, 'data', 'backup'), { recursive: true });
  for (const name of [HOSTILE, BACKUP, SPACED]) await writeFile(join(directory, 'data', 'backup', name), '');
  for (const shell of ['bash', 'zsh', 'fish']) await writeFile(join(directory, `script.${shell}`), await script(shell));
});

afterAll(() => rm(directory, { recursive: true }));

async function script(shell: string): Promise<string> {
  let text = '';
  const stdout = { write: (part: string) => (text += part) };
  expect(await runCli(['completion', shell], { stdout, stderr: stdout, env: {} })).toBe(0);
  return text;
}

function run(shell: string, args: readonly string[]): string {
  const env = { PATH: `${join(directory, 'bin')}:${process.env['PATH']}`, HOME: directory, TERM: 'xterm' };
  const { stdout, stderr } = spawnSync(shell, args, { cwd: directory, env, encoding: 'utf8', timeout: 30_000 });
  expect(stderr).toBe('');
  return stdout;
}

const isMissing = (shell: string): boolean => spawnSync(shell, ['--version']).error !== undefined;
const needs = (shell: string): string => (isMissing(shell) ? ` (not tried: install ${shell} for it)` : '');

type Complete = (...words: readonly string[]) => string[];

/** The last word is the one to complete. Bash has cut the words at `=` and `:`. */
const inBash: Complete = (...words) => {
  const text = `source script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mqtt_oracle_bridge; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = run('bash', ['--norc', '-c', text, 'bash', 'mqtt-oracle-bridge', ...words]);
  return out.split('\n').filter((line) => line !== '');
};

const inFish: Complete = (...words) => {
  const line = ['mqtt-oracle-bridge', ...words].join(' ');
  const out = run('fish', ['--no-config', '-c', `source script.fish; complete -C "${line}"`]);
  return out
    .split('\n')
    .filter((each) => each !== '')
    .map((each) => each.split('\t', 1)[0] ?? '');
};

describe.skipIf(isMissing('bash'))(`bash completes${needs('bash')}`, () => {
  it.each([
    [['ch'], ['check']],
    [
      ['check', '--con'],
      ['--config', '--connect'],
    ],
    [['-V'], ['-V']],
    [['--ver'], ['--version']],
    [['backups', 're'], ['replay']],
    [['-c', 'list', 'backups', 'l'], ['list']],
    [['--set', 'log', '=', 'x', 'stat'], ['status']],
    [['--config', '=', 'a.json', 'stat'], ['status']],
    [['status', '--url', 'http', ':', '//x', ':', '80', '--js'], ['--json']],
    [['status', '--fl'], ['--fleet']],
    [['status', '--fleet', 'http', ':', '//x', '--wa'], ['--watch']],
    [['run', '--set', 'log.l'], ['log.level=']],
    [['run', '--set', 'oracle.pass'], []],
    [['status', '--url', ''], []],
    [['completion', 'z'], ['zsh']],
    [['schema', ''], []],
  ])('%j', (words, expected) => {
    expect(inBash(...words)).toEqual(expected);
  });

  it('every command, and the names of backups without running what stands in them', () => {
    expect(inBash('')).toEqual([
      'run',
      'check',
      'schema',
      'config',
      'backups',
      'try',
      'discover',
      'status',
      'completion',
    ]);
    expect(inBash('backups', 'show', 'ba')).toEqual([BACKUP]);
    expect(inBash('backups', 'replay', BACKUP, '').toSorted()).toEqual(
      [BACKUP, String.raw`a\ copy.csv`, HOSTILE.replaceAll(/[$()` ]/g, String.raw`\$&`)].toSorted(),
    );
    expect(run('bash', ['-c', 'ls'])).not.toContain('ran');
  });
});

describe.skipIf(isMissing('fish'))(`fish completes${needs('fish')}`, () => {
  it.each([
    [['ch'], ['check']],
    [
      ['check', '--con'],
      ['--config', '--connect'],
    ],
    [['--ver'], ['--version']],
    [['backups', 're'], ['replay']],
    [['status', '--fleet', 'x', '--wa'], ['--watch']],
    [['run', '--set', 'log.l'], ['log.level=']],
    [['completion', 'z'], ['zsh']],
    [['backups', 'show', 'ba'], [BACKUP]],
  ])('%j', (words, expected) => {
    expect(inFish(...words)).toEqual(expected);
  });
});

/** Completion works in an interactive zsh only: this types into one. */
const TYPE_INTO_ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PROMPT=; autoload -Uz compinit; compinit -u -D; source ./script.zsh; bindkey "^I" complete-word; print -r -- re''ady'
zpty -r -m shell seen '*ready*'
zpty -w -n shell "mqtt-oracle-bridge $1"$'\\t'
zpty -w -n shell $' \\x01print -r -- "<'
zpty -w shell $'\\x05>"'
zpty -r -m shell seen '*'$'\\n''<*>*'
print -r -- "\${\${seen##*<}%%>*}"
zpty -d shell
`;

const inZsh = (line: string): string => run('zsh', ['-f', '-c', TYPE_INTO_ZSH, 'zsh', line]).trim();

describe.skipIf(isMissing('zsh'))(`zsh completes${needs('zsh')}`, () => {
  it.each([
    ['ch', 'mqtt-oracle-bridge check'],
    ['--ver', 'mqtt-oracle-bridge --version'],
    ['check --conn', 'mqtt-oracle-bridge check --connect'],
    ['backups re', 'mqtt-oracle-bridge backups replay'],
    ['status --fleet http://a --wa', 'mqtt-oracle-bridge status --fleet http://a --watch'],
    ['-c x backups --json sh', 'mqtt-oracle-bridge -c x backups --json show'],
    ['backups show ba', `mqtt-oracle-bridge backups show ${BACKUP}`],
    ['completion z', 'mqtt-oracle-bridge completion zsh'],
  ])('%s', (line, expected) => {
    expect(inZsh(line)).toBe(expected);
  });
});
