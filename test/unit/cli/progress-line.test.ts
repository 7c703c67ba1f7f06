import { describe, expect, it } from 'vitest';

import { progressBar, ProgressLine } from '../../../src/cli/text/progress-line.ts';

function recording(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const output = { isTTY, ...(columns === undefined ? {} : { columns }), write: (text: string) => written.push(text) };
  return { line: new ProgressLine(output), written };
}

describe('progressBar', () => {
  it.each([
    [0, 0, `[${'-'.repeat(30)}]   0 %`],
    [1, 3, `[${'#'.repeat(10)}${'-'.repeat(20)}]  33 %`],
    [999, 1000, `[${'#'.repeat(29)}-]  99 %`],
    [1000, 1000, `[${'#'.repeat(30)}] 100 %`],
    [2000, 1000, `[${'#'.repeat(30)}] 100 %`],
  ])('of %i of %i', (done, all, bar) => {
    expect(progressBar(done, all)).toBe(bar);
  });
});

describe('ProgressLine', () => {
  it('draws over its line on a terminal, and clears it for what stays', () => {
    const { line, written } = recording(true);
    line.show('a.csv', 5, 1000);
    line.say('done');
    const bar = `a.csv ${progressBar(5, 1000)}  5 of 1,000 rows`;
    expect(written).toEqual([`\r${bar}`, `\r${' '.repeat(bar.length)}`, '\rdone\n']);
  });

  it('never wraps, for a wrapped line can not be drawn over', () => {
    const { line, written } = recording(true, 40);
    line.show('backup_20251102_143000.csv', 5, 1000);
    line.show('backup_20251102_143000.csv', 6, 1000);
    for (const text of written) expect(text.length).toBeLessThanOrEqual(40);
  });

  it('writes a line for each tenth elsewhere', () => {
    const { line, written } = recording(false);
    for (const done of [0, 50, 99, 100, 150, 1000]) line.show('a.csv', done, 1000);
    line.say('done');
    expect(written).toEqual(['0', '100', '1,000'].map((done) => `a.csv: ${done} of 1,000 rows\n`).concat('done\n'));
  });
});
