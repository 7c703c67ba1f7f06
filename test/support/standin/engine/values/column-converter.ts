/**
 * A value to what a column stores. Made once a column and statement, because an array insert calls it for every value:
 * the common case of each type takes a few comparisons and allocates nothing.
 */
import { SqlFault } from '../faults.ts';
import type { ValueType } from '../sql/ast.ts';
import type { Value } from '../types.ts';
import { Decimal, Timestamp } from '../types.ts';
import type { ConversionContext, NonNull } from './convert.ts';
import { toBytes, toDoubleOperand, toNumber, toText, toTimestamp } from './convert.ts';
import { roundFraction, truncateToSecond, withZone, withoutZone } from './datetime.ts';
import { fitNumber, numberText, toDouble, toNumberValue } from './decimal.ts';

/** Answers null for what is stored as nothing. Throws the ORA error of a value that does not fit. */
export type ColumnConverter = (value: NonNull) => Value;

interface TargetColumn {
  readonly name: string;
  readonly type: ValueType;
  /** `"S"."T"."C"` for messages. */
  readonly path: string;
}

const MAX_UTF8_BYTES_PER_UNIT = 3;
const FLOAT_SCALE = -127;

export function columnConverter(column: TargetColumn, context: ConversionContext): ColumnConverter {
  const { type, scale } = column.type;
  switch (type) {
    case 'VARCHAR2':
      return textConverter(column, context);
    case 'CHAR': {
      const convert = textConverter(column, context);
      const { length = 1, charSemantics } = column.type;
      return (value) => padded(convert(value), length, charSemantics === true);
    }
    case 'NUMBER':
      return numberConverter(column);
    case 'BINARY_DOUBLE':
      // Adding 0 makes -0 a 0, as Oracle does.
      return (value) => (typeof value === 'number' ? value + 0 : toDouble(toDoubleOperand(value)) + 0);
    case 'BINARY_FLOAT':
      return (value) => Math.fround(toDouble(toDoubleOperand(value))) + 0;
    case 'DATE':
      return (value) => truncateToSecond(toTimestamp(value, context, 'DATE'));
    case 'TIMESTAMP':
      return (value) => {
        const plain = withoutZone(value instanceof Timestamp ? value : toTimestamp(value, context, type));
        return roundFraction(plain, scale!);
      };
    case 'TIMESTAMP WITH TIME ZONE':
    case 'TIMESTAMP WITH LOCAL TIME ZONE':
      return (value) =>
        roundFraction(withZone(toTimestamp(value, context, type), context.settings.offsetMinutes), scale!);
    case 'RAW':
      break;
  }
  return (value) => {
    const bytes = toBytes(value);
    if (bytes.length > column.type.maxBytes) throw tooLarge(column, bytes.length, column.type.maxBytes);
    return bytes.length === 0 ? null : bytes;
  };
}

function tooLarge(column: TargetColumn, actual: number, maximum: number): SqlFault {
  return new SqlFault(12899, { column: column.path, actual, maximum });
}

function textConverter(column: TargetColumn, context: ConversionContext): (value: NonNull) => string {
  const { maxBytes, length = maxBytes, charSemantics } = column.type;
  const surelyShort = Math.floor((charSemantics === true ? length : maxBytes) / MAX_UTF8_BYTES_PER_UNIT);
  return (value) => {
    const text = typeof value === 'string' ? value : toText(value, context);
    if (text.length <= surelyShort) return text;
    if (charSemantics === true && text.length > length) {
      const characters = countCharacters(text);
      if (characters > length) throw tooLarge(column, characters, length);
    }
    const bytes = Buffer.byteLength(text);
    if (bytes > maxBytes) throw tooLarge(column, bytes, maxBytes);
    return text;
  };
}

function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function padded(value: Value, length: number, charSemantics: boolean): Value {
  const text = value as string;
  return text + ' '.repeat(Math.max(0, length - (charSemantics ? countCharacters(text) : Buffer.byteLength(text))));
}

function numberConverter(column: TargetColumn): ColumnConverter {
  const { precision, scale = 0 } = column.type;
  if (precision === undefined || scale === FLOAT_SCALE) return (value) => toNumberValue(toNumber(value));
  return (value) => {
    const number = typeof value === 'number' || value instanceof Decimal ? value : toNumber(value);
    const fitted = fitNumber(number, precision, scale);
    if (fitted === undefined) throw new SqlFault(1438, { value: numberText(number), precision, scale });
    return fitted;
  };
}
