import { printable } from '../core/printable.ts';
import { plural } from '../core/wording.ts';
import type { Finding, Verdict } from './finding.ts';

/** The word says what the mark says, for those who read without seeing it. */
const MARKS: Readonly<Record<Verdict, readonly [mark: string, word: string]>> = {
  ok: ['✓', 'ok'],
  warning: ['!', 'warning'],
  unknown: ['!', 'unknown'],
  failed: ['✗', 'failed'],
};

const WORD_WIDTH = Math.max(...Object.values(MARKS).map(([, word]) => word.length));

/** A finding as one line, with a line for each step of its remedy below. */
export function findingLines({ verdict, subject, text, remedy }: Finding): string {
  const [mark, word] = MARKS[verdict];
  const first = `  ${mark} ${word.padEnd(WORD_WIDTH)}  ${subject}: ${text}`;
  const indent = ' '.repeat(WORD_WIDTH + 6);
  return [first, ...remedy.map((step) => `${indent}→ ${step}`)].map((line) => `${printable(line)}\n`).join('');
}

/** How many findings of each kind there are: `2 failed, 1 warning, 0 unknown, 14 ok`. */
export function summaryLine(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length;
  const parts = [
    `${count('failed')} failed`,
    plural(count('warning'), 'warning'),
    `${count('unknown')} unknown`,
    `${count('ok')} ok`,
  ];
  return `${parts.join(', ')}\n`;
}
