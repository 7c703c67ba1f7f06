import { describe, expect, it } from 'vitest';

import { withTables } from '../../../scripts/confirm/page.ts';
import { POINTS } from '../../../scripts/confirm/points.ts';
import { readPage } from './pages.ts';

/** As prettier lays tables out does not matter. */
function plain(text: string): string {
  return text.replaceAll(/-{3,}/g, '---').replaceAll(/ +/g, ' ');
}

describe('docs/to-confirm.md', () => {
  it('has every point of npm run confirm, as npm run confirm -- --write writes them', () => {
    const page = readPage('docs/to-confirm.md');
    expect(plain(page)).toBe(plain(withTables(page)));
  });

  it('names each point once', () => {
    const ids = POINTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(30);
  });
});
