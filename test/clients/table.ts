/** The table of clients: printed, and kept in the stand-in's README between two marks. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { Client } from './clients.ts';
import type { ClientRun } from './run-client.ts';
import { STEPS, type Step } from './steps.ts';

const README = fileURLToPath(new URL('../support/standin/README.md', import.meta.url));
const START = '<!-- table of clients: npm run standin:clients -- --write -->';
const END = '<!-- end of the table of clients -->';

export interface ClientResult {
  readonly client: Client;
  /** Why it was not run. */
  readonly skipped?: string;
  readonly runs: readonly ClientRun[];
}

function stepsOf(run: ClientRun, kind: 'good' | 'absent' | 'bad'): Step[] {
  return STEPS.filter((step) => run.outcomes[step].kind === kind);
}

/** True when a client was run and a step was bad, or the stand-in has dropped a connection. */
export function isBad({ runs }: ClientResult): boolean {
  return runs.some((run) => stepsOf(run, 'bad').length > 0 || run.dropped.length > 0);
}

function cellOf(run: ClientRun | undefined): string {
  if (run === undefined) return '';
  const bad = [...stepsOf(run, 'bad'), ...(run.dropped.length > 0 ? ['a connection was dropped'] : [])];
  const tried = STEPS.length - stepsOf(run, 'absent').length;
  return bad.length === 0 ? `all ${tried}` : `**not: ${bad.join(', ')}**`;
}

/** A Markdown table: a row for each client, a column for each profile, and what its driver does not have. */
export function tableOf(results: readonly ClientResult[]): string {
  const rows = results.map(({ client, skipped, runs }) => {
    const cells = [client.name, client.version];
    if (skipped !== undefined) return [...cells, `skipped: ${skipped.split('\n')[0]}`, '', ''];
    const of = (profile: string): string => cellOf(runs.find((run) => run.profile === profile));
    return [...cells, of('19c'), of('23ai'), client.lacks.map((step) => step.replace(' refused', '')).join(', ')];
  });
  const all = [['client', 'version', '19c', '23ai', 'has no'], ['---', '---', '---', '---', '---'], ...rows];
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What each bad step was told to be, a line each. */
export function complaintsOf(results: readonly ClientResult[]): string[] {
  return results.flatMap(({ client, runs }) =>
    runs.flatMap((run) => {
      const name = `${client.name} ${client.version}, ${run.profile}`;
      const bad = stepsOf(run, 'bad').map((step) => {
        const outcome = run.outcomes[step];
        return `${name}: ${step}: ${outcome.kind === 'bad' ? outcome.said : ''}`;
      });
      return [...bad, ...run.dropped.map((line) => `${name}: ${line}`)];
    }),
  );
}

/** Puts the table into the README, in the place of the one that is there. */
export async function writeTable(table: string): Promise<void> {
  const text = await readFile(README, 'utf8');
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${README} has no marks for the table`);
  await writeFile(README, `${text.slice(0, start + START.length)}\n\n${table}\n\n${text.slice(end)}`);
}
