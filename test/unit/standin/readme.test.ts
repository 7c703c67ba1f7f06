import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

const STANDIN = join(import.meta.dirname, '../../support/standin');

/**
 * The rows of the table of files: a folder, which holds for the rows after it too, and the names in the second column.
 */
function filesOf(readme: string): string[] {
  const table = readme.slice(readme.indexOf('## The files'), readme.indexOf('## What SQL'));
  let folder = '';
  return table
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.includes('.ts`'))
    .flatMap((line) => {
      const [, first = '', files = ''] = line.split('|');
      folder = /`(.+)`/.exec(first)?.[1] ?? folder;
      return [...files.matchAll(/`(.+?)`/g)].map(([, name]) => join(folder, name!));
    });
}

describe('the README of the stand-in', () => {
  it('names each of its files once, and no other', () => {
    const files = readdirSync(STANDIN, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    expect(filesOf(readFileSync(join(STANDIN, 'README.md'), 'utf8')).sort()).toEqual(files.sort());
  });
});
