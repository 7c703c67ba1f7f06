import { describe, expect, it } from 'vitest';

import { failed, ok, unknown, warning } from '../../../src/preflight/finding.ts';
import { findingLines, summaryLine } from '../../../src/preflight/report.ts';

describe('the report', () => {
  it('says each verdict by mark and word, and each step of the remedy in a line', () => {
    const findings = [
      ok('a', 'fine'),
      warning('b', 'hm', 'do x'),
      unknown('c', '?', 'see y'),
      failed('d', 'no', 'x', 'y'),
    ];
    expect(findings.map(findingLines).join('')).toBe(
      '  ✓ ok       a: fine\n' +
        '  ! warning  b: hm\n             → do x\n' +
        '  ! unknown  c: ?\n             → see y\n' +
        '  ✗ failed   d: no\n             → x\n             → y\n',
    );
    expect(summaryLine(findings)).toBe('1 failed, 1 warning, 1 unknown, 1 ok\n');
  });

  it('lets nobody steer the terminal', () => {
    expect(findingLines(failed('a', 'x\u001B[2J\ny', 'z\u202E'))).toBe(
      '  ✗ failed   a: x\\u{1b}[2J\\u{a}y\n             → z\\u{202e}\n',
    );
  });
});
