import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { FORMATS } from '../../../src/payload/formats.ts';
import { PRESETS } from '../../../src/payload/json/presets.ts';
import { becomes, expectedOf, readCases } from '../../payloads/payload-table.ts';

const FOLDERS = readdirSync(fileURLToPath(new URL('../../payloads', import.meta.url))).filter(
  (name) => !name.includes('.'),
);

describe.each(FOLDERS)('a payload of the table becomes what its file says: %s', (folder) => {
  it.each(readCases(folder))('%s', (_file, each) => {
    expect(becomes(each)).toStrictEqual(expectedOf(each));
  });
});

describe('the table of payloads', () => {
  it('has a folder for each format', () => {
    expect(FOLDERS.toSorted()).toStrictEqual(FORMATS.map(({ name }) => name).toSorted());
  });

  it('has a payload for each preset', () => {
    const used = readCases('json').map(([, { subscription }]) => JSON.stringify(subscription));
    const unused = Object.keys(PRESETS).filter((name) => !used.some((text) => text.includes(`"preset":"${name}"`)));
    expect(unused).toStrictEqual([]);
  });
});
