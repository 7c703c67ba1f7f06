import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runCli } from '../../src/cli/cli.ts';

export interface CheckOutcome {
  readonly exitCode: number;
  readonly out: string;
  /** The line of that subject with those of its remedy, blanks as they are; empty when there is none. */
  readonly about: (subject: string) => string;
}

/** Nobody listens on port 9 (discard). */
const NOBODY = {
  mqtt: { url: 'mqtt://127.0.0.1:9' },
  oracle: { connectString: '127.0.0.1:9/none', user: 'bridge', password: 'secret' },
};

type Section = Readonly<Record<string, unknown>>;

/**
 * `check --connect` with these sections laid over a configuration of nobody, and directories of its own that do not
 * exist yet.
 */
export async function runCheck(sections: Readonly<Record<string, Section>>): Promise<CheckOutcome> {
  const directory = await mkdtemp(join(tmpdir(), 'bridge-check-'));
  try {
    const base: Record<string, Section> = {
      ...NOBODY,
      journal: { dir: join(directory, 'data/journal') },
      backup: { dir: join(directory, 'data/backup') },
    };
    for (const [name, keys] of Object.entries(sections)) base[name] = { ...base[name], ...keys };
    const file = join(directory, 'bridge.json');
    await writeFile(file, JSON.stringify(base));
    let out = '';
    const write = (text: string): void => void (out += text);
    const exitCode = await runCli(['check', '--connect', '--config', file], {
      stdout: { write },
      stderr: { write },
      env: {},
    });
    return { exitCode, out, about: (subject) => linesAbout(out, subject) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function linesAbout(out: string, subject: string): string {
  const lines = out.split('\n');
  const from = lines.findIndex((line) => /^ {2}\S/.test(line) && line.includes(`  ${subject}: `));
  if (from === -1) return '';
  const behind = lines.slice(from + 1).findIndex((line) => !line.startsWith('             →'));
  return lines
    .slice(from, from + 1 + behind)
    .map((line) => line.trim())
    .join('\n');
}
