import { array, assert, boolean, nat, property, record } from 'fast-check';
import { expect, it } from 'vitest';

import { Catalog } from '../../../src/backup/files/catalog.ts';
import type { BackupFileInfo } from '../../../src/backup/files/file-info.ts';

const nameOf = (number: number): string => `backup_20260101_000000_${number}.csv`;

it('remembers the last ten thousand files that are gone, as one a few seconds for months would fill the memory', () => {
  const catalog = new Catalog();
  for (let number = 0; number < 10_001; number += 1) {
    catalog.put({ name: nameOf(number), kind: 'backup' } as BackupFileInfo);
    catalog.drop(nameOf(number));
  }
  expect([0, 1, 10_000].map((number) => catalog.hadFile(nameOf(number)))).toEqual([false, true, true]);
  expect(catalog.size).toBe(0);
});

it('finds the oldest of those that are wanted, as looking through all of them in order does', () => {
  const anyFile = record({ number: nat(30), createdAtMs: nat(5), isWanted: boolean() });
  assert(
    property(array(anyFile, { maxLength: 20 }), (files) => {
      const catalog = new Catalog();
      const wanted = new Map(files.map(({ isWanted, number }) => [nameOf(number), isWanted]));
      for (const { createdAtMs, number } of files) catalog.put({ name: nameOf(number), createdAtMs } as BackupFileInfo);
      const isWanted = ({ name }: BackupFileInfo): boolean => wanted.get(name) === true;
      expect(catalog.oldestWhere(isWanted)).toBe(catalog.sorted().find(isWanted));
    }),
  );
});
