/**
 * The rows of an array bind, read as their packets arrive: `iterations` times 07 and one value per bind. Outside PL/SQL
 * a value whose declared size exceeds the longest string comes after the others of its row.
 */
import { OraError, type Value } from '../engine/types.ts';
import { ProtocolError } from './request.ts';
import { type BindType, decodeShort, readValue, skipValue } from './values.ts';
import type { Reader } from './wire.ts';

const MESSAGE_ROW = 0x07;
const MAX_STRING_BYTES = 32_767;
const FIRST_SPECIAL = 253;
const NULL_LENGTH = 255;

export class RowReader {
  readonly rows: Value[][] = [];
  /** Rows with a value that can't be decoded, by their offset. */
  readonly errors = new Map<number, OraError>();
  /** Rows read, decoded or not. */
  count = 0;
  readonly #binds: readonly BindType[];
  /** The columns in the order in which they are sent. */
  readonly #order: readonly number[];
  readonly #blank: Value[];
  readonly #iterations: number;
  readonly #decode: boolean;

  /** With `decode` false the rows are only counted. */
  constructor(binds: readonly BindType[], iterations: number, plsql: boolean, decode: boolean) {
    this.#binds = binds;
    const columns = binds.map((_, index) => index);
    const isLong = (index: number): boolean => !plsql && binds[index]!.maxBytes > MAX_STRING_BYTES;
    this.#order = [...columns.filter((index) => !isLong(index)), ...columns.filter(isLong)];
    this.#blank = Array.from(binds, () => null);
    this.#iterations = iterations;
    this.#decode = decode;
  }

  /** Takes as many whole rows as there are; true when all have come. */
  read(reader: Reader): boolean {
    while (this.count < this.#iterations) {
      const start = reader.position;
      if (start >= reader.end) return false;
      if (reader.buffer[start] !== MESSAGE_ROW)
        throw new ProtocolError(`message ${reader.buffer[start]} among the rows`);
      const end = this.#decode ? this.#take(reader) : this.#skip(reader);
      if (end < 0) {
        reader.position = start;
        return false;
      }
      reader.position = end;
      this.count++;
    }
    return true;
  }

  #skip(reader: Reader): number {
    let at = reader.position + 1;
    for (let i = 0; i < this.#order.length && at >= 0; i++) at = skipValue(reader.buffer, at, reader.end);
    return at;
  }

  #take(reader: Reader): number {
    const row = this.#blank.slice();
    try {
      const end = this.#decodeRow(reader, row);
      if (end >= 0) this.rows.push(row);
      return end;
    } catch (error) {
      if (!(error instanceof OraError)) throw error;
      const end = this.#skip(reader);
      if (end >= 0) {
        this.errors.set(this.rows.length, error);
        this.rows.push(row);
      }
      return end;
    }
  }

  #decodeRow(reader: Reader, row: Value[]): number {
    const { buffer, end } = reader;
    const order = this.#order;
    let at = reader.position + 1;
    for (let i = 0; i < order.length; i++) {
      if (at >= end) return -1;
      const column = order[i]!;
      const bind = this.#binds[column]!;
      const length = buffer[at]!;
      if (length === 0 || length === NULL_LENGTH) at++;
      else if (length < FIRST_SPECIAL) {
        const next = at + 1 + length;
        if (next > end) return -1;
        row[column] = decodeShort(bind, buffer, at + 1, length);
        at = next;
      } else {
        const next = skipValue(buffer, at, end);
        if (next < 0) return -1;
        const before = reader.position;
        reader.position = at;
        try {
          row[column] = readValue(bind, reader);
        } finally {
          reader.position = before;
        }
        at = next;
      }
    }
    return at;
  }
}
