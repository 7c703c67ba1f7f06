import { describe, expect, it } from 'vitest';

import { compileTagName, TagCatalog } from '../../../src/payload/tag-name.ts';

describe('compileTagName', () => {
  it.each([
    ['{plc}.{tag}', 'P.A'],
    ['{tag}', 'A'],
    ['plant/{plc}/{plc}:{tag}!', 'plant/P/P:A!'],
    ['{other}{tag}{', '{other}A{'],
    ['constant', 'constant'],
  ])('fills in %s as %s', (template, name) => {
    expect(compileTagName(template)('P', 'A')).toBe(name);
  });

  it('fills in once only', () => {
    expect(compileTagName('{plc}.{tag}')('{tag}', '{plc}')).toBe('{tag}.{plc}');
  });
});

describe('TagCatalog', () => {
  it('keeps as many tags as it may, over however many PLCs they are', () => {
    const catalog = new TagCatalog('{plc}.{tag}', 12);
    const all = (): unknown[] =>
      ['A', 'B', 'C', 'D'].flatMap((plc) => ['1', '2', '3'].map((tag, i) => catalog.ofPlc(plc).at(i, tag)));
    const first = all();
    expect(all().map((named, i) => named === first[i])).toEqual(first.map(() => true));
    expect(catalog.size).toBe(12);
  });

  it('forgets all where PLCs that bring no tag are too many', () => {
    const catalog = new TagCatalog('{plc}.{tag}', 3);
    const first = catalog.ofPlc('A');
    for (const plc of ['B', 'C']) catalog.ofPlc(plc);
    expect(catalog.ofPlc('A')).toBe(first);
    catalog.ofPlc('D');
    expect(catalog.ofPlc('A')).not.toBe(first);
  });

  it('never keeps more tags than it may', () => {
    const catalog = new TagCatalog('{plc}.{tag}', 10);
    for (let i = 0; i < 100; i += 1) {
      const { tag } = catalog.ofPlc(`P${i % 7}`).at(i % 3, `A${i}`);
      expect(tag.name).toBe(`P${i % 7}.A${i}`);
      expect(catalog.size).toBeLessThanOrEqual(10);
    }
  });

  it('does not keep names that are too long for any column', () => {
    const catalog = new TagCatalog('{plc}.{tag}');
    expect(catalog.ofPlc('P').at(0, 'x'.repeat(5_000)).tag.address).toHaveLength(5_000);
    expect(catalog.size).toBe(1);
  });
});
