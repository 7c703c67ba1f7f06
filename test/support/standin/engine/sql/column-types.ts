/** Data types as CREATE TABLE declares them. */
import type { ValueType } from './ast.ts';
import type { TokenStream } from './token-stream.ts';

export interface DeclaredType {
  readonly type: ValueType;
  /** DATA_TYPE in the dictionary. */
  readonly declared: string;
}

const MAX_CHAR_BYTES = 2000;
const MAX_RAW_BYTES = 2000;
const MAX_BYTES_PER_CHARACTER = 4;
const DEFAULT_FRACTION_DIGITS = 6;

const integerType = (): DeclaredType => ({
  type: { type: 'NUMBER', maxBytes: 22, precision: 38, scale: 0 },
  declared: 'NUMBER',
});

const TYPES: Readonly<Record<string, (tokens: TokenStream, maxStringBytes: number) => DeclaredType>> = {
  VARCHAR2: (tokens, maxStringBytes) => text(tokens, 'VARCHAR2', maxStringBytes),
  VARCHAR: (tokens, maxStringBytes) => text(tokens, 'VARCHAR2', maxStringBytes),
  CHAR: (tokens) => text(tokens, 'CHAR', MAX_CHAR_BYTES),
  NUMBER: number,
  DECIMAL: number,
  NUMERIC: number,
  INTEGER: integerType,
  INT: integerType,
  SMALLINT: integerType,
  FLOAT: float,
  BINARY_DOUBLE: () => ({ type: { type: 'BINARY_DOUBLE', maxBytes: 8 }, declared: 'BINARY_DOUBLE' }),
  BINARY_FLOAT: () => ({ type: { type: 'BINARY_FLOAT', maxBytes: 4 }, declared: 'BINARY_FLOAT' }),
  DATE: () => ({ type: { type: 'DATE', maxBytes: 7 }, declared: 'DATE' }),
  TIMESTAMP: timestamp,
  RAW: raw,
};

/** Throws ORA-00902 for a type that is not known, ORA-00906, ORA-00907, ORA-00910, ORA-01727 or ORA-01728. */
export function parseColumnType(tokens: TokenStream, maxStringBytes: number): DeclaredType {
  const { kind, text: name } = tokens.current;
  const parse = kind === 'word' && Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (parse === undefined) throw tokens.fault(902);
  tokens.next();
  return parse(tokens, maxStringBytes);
}

function text(tokens: TokenStream, type: 'VARCHAR2' | 'CHAR', limitBytes: number): DeclaredType {
  let length = 1;
  let charSemantics = false;
  if (type === 'VARCHAR2' || tokens.isOperator('(')) {
    tokens.expectOperator('(', 906);
    length = tokens.integer(910);
    charSemantics = tokens.takeWords('CHAR');
    if (!charSemantics) tokens.takeWords('BYTE');
    tokens.expectOperator(')', 907);
  }
  if (length < 1 || length > limitBytes) throw tokens.fault(910);
  const maxBytes = charSemantics ? Math.min(length * MAX_BYTES_PER_CHARACTER, limitBytes) : length;
  return { type: { type, maxBytes, length, charSemantics }, declared: type };
}

function number(tokens: TokenStream): DeclaredType {
  if (!tokens.takeOperator('(')) return { type: { type: 'NUMBER', maxBytes: 22 }, declared: 'NUMBER' };
  const precision = tokens.takeOperator('*') ? 38 : tokens.integer(1727);
  const scale = tokens.takeOperator(',') ? tokens.integer(1728) : 0;
  tokens.expectOperator(')', 907);
  if (precision < 1 || precision > 38) throw tokens.fault(1727);
  if (scale < -84 || scale > 127) throw tokens.fault(1728);
  return { type: { type: 'NUMBER', maxBytes: 22, precision, scale }, declared: 'NUMBER' };
}

/** A NUMBER with binary precision, described with the scale -127. */
function float(tokens: TokenStream): DeclaredType {
  const precision = tokens.isOperator('(') ? tokens.list(() => tokens.integer(1727))[0]! : 126;
  return { type: { type: 'NUMBER', maxBytes: 22, precision, scale: -127 }, declared: 'FLOAT' };
}

function timestamp(tokens: TokenStream): DeclaredType {
  const scale = tokens.isOperator('(') ? tokens.list(() => tokens.integer(30088))[0]! : DEFAULT_FRACTION_DIGITS;
  if (scale < 0 || scale > 9) throw tokens.fault(30088);
  if (tokens.takeWords('WITH', 'TIME', 'ZONE')) {
    const type = { type: 'TIMESTAMP WITH TIME ZONE', maxBytes: 13, scale } as const;
    return { type, declared: `TIMESTAMP(${scale}) WITH TIME ZONE` };
  }
  if (tokens.takeWords('WITH', 'LOCAL', 'TIME', 'ZONE')) {
    const type = { type: 'TIMESTAMP WITH LOCAL TIME ZONE', maxBytes: 11, scale } as const;
    return { type, declared: `TIMESTAMP(${scale}) WITH LOCAL TIME ZONE` };
  }
  return { type: { type: 'TIMESTAMP', maxBytes: 11, scale }, declared: `TIMESTAMP(${scale})` };
}

function raw(tokens: TokenStream): DeclaredType {
  const maxBytes = tokens.list(() => tokens.integer(910))[0]!;
  if (maxBytes < 1 || maxBytes > MAX_RAW_BYTES) throw tokens.fault(910);
  return { type: { type: 'RAW', maxBytes }, declared: 'RAW' };
}
