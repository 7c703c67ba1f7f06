import { describe, expect, it } from 'vitest';

import type { ColumnFacts } from '../../../src/oracle/dictionary.ts';
import { typeProblem, typeText, type Content } from '../../../src/preflight/column-rules.ts';

function column(type: string, more: Partial<ColumnFacts> = {}): ColumnFacts {
  const plain = { precision: null, scale: null, nullable: true, hasDefault: false, length: 0, inCharacters: false };
  return { name: 'C', type, bytes: 22, ...plain, ...more };
}

const FATAL = true;
const WORSE = false;

describe('the type of a column', () => {
  it.each<[Content, ColumnFacts, boolean | undefined, string]>([
    ['text', column('VARCHAR2', { length: 10 }), undefined, 'VARCHAR2(10 BYTE)'],
    ['text', column('NVARCHAR2', { length: 10, inCharacters: true }), undefined, 'NVARCHAR2(10 CHAR)'],
    ['text', column('CLOB'), undefined, 'CLOB'],
    ['text', column('CHAR', { length: 8 }), WORSE, 'CHAR(8 BYTE)'],
    ['text', column('NUMBER'), FATAL, 'NUMBER'],
    ['text', column('LONG RAW'), FATAL, 'LONG RAW'],
    ['double', column('BINARY_DOUBLE'), undefined, 'BINARY_DOUBLE'],
    ['double', column('NUMBER'), undefined, 'NUMBER'],
    ['double', column('BINARY_FLOAT'), WORSE, 'BINARY_FLOAT'],
    ['double', column('FLOAT', { precision: 126 }), undefined, 'FLOAT'],
    ['double', column('FLOAT', { precision: 24 }), WORSE, 'FLOAT'],
    ['double', column('NUMBER', { precision: 12, scale: 3 }), WORSE, 'NUMBER(12,3)'],
    ['double', column('NUMBER', { scale: 0 }), WORSE, 'NUMBER(*,0)'],
    ['double', column('VARCHAR2', { length: 40 }), WORSE, 'VARCHAR2(40 BYTE)'],
    ['double', column('DATE'), FATAL, 'DATE'],
    ['decimal', column('NUMBER'), undefined, 'NUMBER'],
    ['decimal', column('BINARY_DOUBLE'), WORSE, 'BINARY_DOUBLE'],
    ['messageNo', column('NUMBER', { precision: 19, scale: 0 }), undefined, 'NUMBER(19,0)'],
    ['messageNo', column('NUMBER', { precision: 15, scale: 0 }), FATAL, 'NUMBER(15,0)'],
    ['messageNo', column('BINARY_DOUBLE'), FATAL, 'BINARY_DOUBLE'],
    ['valueNo', column('NUMBER', { precision: 10, scale: 0 }), undefined, 'NUMBER(10,0)'],
    ['valueNo', column('NUMBER', { precision: 9, scale: 0 }), FATAL, 'NUMBER(9,0)'],
    ['part', column('VARCHAR2', { length: 10 }), undefined, 'VARCHAR2(10 BYTE)'],
    ['part', column('NUMBER'), WORSE, 'NUMBER'],
    ['part', column('DATE'), FATAL, 'DATE'],
    ['flag', column('NUMBER', { precision: 1, scale: 0 }), undefined, 'NUMBER(1,0)'],
    ['code', column('NUMBER', { precision: 3, scale: 0 }), FATAL, 'NUMBER(3,0)'],
    ['sequence', column('NUMBER', { precision: 15, scale: 0 }), FATAL, 'NUMBER(15,0)'],
    ['sequence', column('BINARY_DOUBLE'), undefined, 'BINARY_DOUBLE'],
    ['number', column('NUMBER', { precision: 5, scale: 2 }), WORSE, 'NUMBER(5,2)'],
    ['number', column('BINARY_FLOAT'), WORSE, 'BINARY_FLOAT'],
    ['number', column('VARCHAR2', { length: 40 }), WORSE, 'VARCHAR2(40 BYTE)'],
    ['number', column('TIMESTAMP(6)', { scale: 6 }), FATAL, 'TIMESTAMP(6)'],
    ['time', column('TIMESTAMP(6)', { scale: 6 }), undefined, 'TIMESTAMP(6)'],
    ['time', column('TIMESTAMP(3) WITH LOCAL TIME ZONE', { scale: 3 }), undefined, 'TIMESTAMP(3) WITH LOCAL TIME ZONE'],
    ['time', column('TIMESTAMP(0)', { scale: 0 }), WORSE, 'TIMESTAMP(0)'],
    ['time', column('DATE'), WORSE, 'DATE'],
    ['time', column('VARCHAR2', { length: 40 }), FATAL, 'VARCHAR2(40 BYTE)'],
  ])('for %s: %o', (content, facts, isFatal, text) => {
    expect(typeProblem(facts, content)?.isFatal).toBe(isFatal);
    expect(typeText(facts)).toBe(text);
  });
});
