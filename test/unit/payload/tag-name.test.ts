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
