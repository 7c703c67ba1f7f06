import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { childOf, isDescriptor, parseDescriptor } from '../../../src/core/connect-descriptor.ts';

describe('parseDescriptor', () => {
  it('reads names in any case, blanks anywhere, and parentheses in quotes', () => {
    const text =
      ' ( description = (Address=(HOST = db.example.com)(port=1521)) (SECURITY=(SSL_SERVER_CERT_DN="CN=a(b),O=c")) ) ';
    const root = parseDescriptor(text);
    if (!isDescriptor(root)) throw new Error(root.problem);
    expect(root.name).toBe('DESCRIPTION');
    const address = childOf(root, 'ADDRESS')!;
    expect(childOf(address, 'HOST')?.atom).toBe('db.example.com');
    expect(childOf(address, 'PORT')?.atom).toBe('1521');
    expect(childOf(childOf(root, 'SECURITY')!, 'SSL_SERVER_CERT_DN')?.atom).toBe('CN=a(b),O=c');
  });

  it.each([
    ['(A=(B=c)', 'this ( is never closed', 0],
    ['(A=b)(C=d)', 'something stands behind the last )', 5],
    ['(A)', '= must stand here', 2],
    ['(=b)', 'a name and = must stand after (', 1],
    ['(A="b)', 'this quotation mark is never closed', 3],
    ['A=b', '( must stand here', 0],
    ['', '( must stand here', 0],
  ])('says of %j what is wrong, and where', (text, problem, position) => {
    expect(parseDescriptor(text)).toEqual({ problem, position });
  });

  it('bounds how deep it goes, and throws for no text', () => {
    expect(isDescriptor(parseDescriptor('(A='.repeat(1000) + 'x' + ')'.repeat(1000)))).toBe(false);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('(', ')', '=', 'A', ' ', '"', "'", '\n', 'ü') }), (text) => {
        parseDescriptor(text);
      }),
    );
  });
});
