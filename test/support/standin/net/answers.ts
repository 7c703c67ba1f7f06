/**
 * The messages of an answer.
 *
 *   08 return parameters, before the 04 of every answer to execute: ub2 6, six ub4 (change number low and high, cursor,
 *        1 after DML, 0, 0), three ub2 0, [ub4 n, n * ub8 row counts]
 *   10h  description of columns        06 row header      07 row       15h bit vector: columns that are sent
 *   04   end of call, after an error and after success alike          09 status, for calls without a statement
 *   1Dh  end of response, where that was negotiated
 */
import { type Column, type OraError, type StatementKind, Timestamp, type Value } from '../engine/types.ts';
import { encodeDate } from './oracle-date.ts';
import type { Dialect } from './negotiation.ts';
import { sameValue, wireTypes, writeValue } from './values.ts';
import { Writer } from './wire.ts';

const FIELD_VERSION_12_2 = 8;
const FIELD_VERSION_23_1 = 17;
const FIELD_VERSION_23_ANNOTATIONS = 20;
const FIELD_VERSION_23_4 = 24;
const CHARSET_AL32UTF8 = 873;
const MAX_STRING_BYTES = 32_767;
const DIRECTION_IN = 32;
const CLR_CHUNKED = 254;

/**
 * Call status: the bit with value 2 says that a transaction is open; clients roll back on close only then. The one with
 * value 4 stays set once a session has committed (python_thin_failed_stmt.pcapng in fclairamb/dbbat: failed calls too).
 */
export const CallStatus = { idle: 1, inTransaction: 2, hasCommitted: 4, ddl: 0x10001, committed: 0x10005 } as const;

export const statementTypes: Readonly<Record<StatementKind, number>> = {
  'CREATE TABLE': 1,
  INSERT: 2,
  SELECT: 3,
  UPDATE: 6,
  DELETE: 7,
  'DROP TABLE': 12,
  OTHER: 42,
  PLSQL: 47,
  TRUNCATE: 85,
  MERGE: 189,
};

/** A row's address; the stand-in makes them up. */
export interface RowId {
  readonly object: number;
  readonly file: number;
  readonly block: number;
  readonly slot: number;
}

export interface EndOfCall {
  readonly status: number;
  /** The session's count of calls. */
  readonly sequence: number;
  /** The sequence number of the request. */
  readonly call: number;
  readonly cursorId?: number;
  readonly statementType?: number;
  readonly position?: number;
  readonly rowCount?: number;
  readonly iterations?: number;
  readonly rowId?: RowId | undefined;
  readonly error?: { readonly code: number; readonly text: string };
  readonly batchErrors?: readonly { readonly offset: number; readonly error: OraError }[];
}

const noRowId: RowId = { object: 0, file: 0, block: 0, slot: 0 };

/**
 * 04, ub4 status, ub2 sequence, ub4 row number, ub2 error, ub2, ub2, ub2 cursor, sb2 position, u8 statement type, 5
 * bytes, rowid (ub4, ub2, u8, ub4, ub2), ub4, u8, u8 call, ub2, ub4 iterations, logical rowid, batch errors, ub4 error,
 * ub8 row count, [ub4 statement type, ub4 0], [text]. Clients of field version 16 (python-oracledb 1.2) do not read the
 * last two numbers, those of 24 do.
 */
export function writeEndOfCall(writer: Writer, dialect: Dialect, end: EndOfCall): void {
  const code = end.error?.code ?? 0;
  const row = end.rowId ?? noRowId;
  writer
    .ub1(4)
    .ub(end.status)
    .ub(end.sequence)
    .ub(end.rowCount ?? 0)
    .ub(code)
    .ub(0)
    .ub(0);
  writer
    .ub(end.cursorId ?? 0)
    .ub(end.position ?? 0)
    .ub1(end.statementType ?? 0)
    .zeros(5);
  writer.ub(row.object).ub(row.file).ub1(0).ub(row.block).ub(row.slot);
  writer
    .ub(0)
    .ub1(0, end.call)
    .ub(0)
    .ub(end.iterations ?? 0);
  if (end.rowId !== undefined && dialect.fieldVersion >= FIELD_VERSION_23_4) writeLogicalRowId(writer, end.rowId);
  else writer.ub(0);
  writeBatchErrors(writer, end.batchErrors ?? []);
  writer.ub(code).ub(end.rowCount ?? 0);
  if (dialect.fieldVersion >= FIELD_VERSION_23_1) writer.ub(end.statementType ?? 0).ub(0);
  if (end.error !== undefined) writer.text(`${end.error.text}\n`);
}

function writeLogicalRowId(writer: Writer, row: RowId): void {
  const bytes = Buffer.alloc(13);
  bytes[0] = 1;
  bytes.writeUInt32BE(row.object, 1);
  bytes.writeUInt16BE(row.file, 5);
  bytes.writeUInt32BE(row.block, 7);
  bytes.writeUInt16BE(row.slot, 11);
  writer.sized(bytes);
}

/**
 * ub2 n [codes]; ub4 n [offsets]; ub2 n [u8, n * (ub2 length, CLR text, two bytes)]. Codes and offsets: u8 size and the
 * numbers one after the other; from 253 bytes on u8 254, each number as a chunk with its ub4 length, and a zero byte.
 */
function writeBatchErrors(writer: Writer, errors: EndOfCall['batchErrors'] & object): void {
  writeNumbers(
    writer,
    errors.map(({ error }) => error.code),
  );
  writeNumbers(
    writer,
    errors.map(({ offset }) => offset),
  );
  writer.ub(errors.length);
  if (errors.length > 0) writer.ub1(1);
  for (const { error } of errors) {
    const text = Buffer.from(`${error.text}\n`);
    writer.ub(text.length).bytes(text).zeros(2);
  }
}

function writeNumbers(writer: Writer, numbers: readonly number[]): void {
  writer.ub(numbers.length);
  if (numbers.length === 0) return;
  const encoded = numbers.map((number) => new Writer(4).ub(number).done());
  const size = encoded.reduce((sum, bytes) => sum + bytes.length, 0);
  if (size < CLR_CHUNKED - 1) {
    writer.ub1(size);
    for (const bytes of encoded) writer.raw(bytes);
    return;
  }
  writer.ub1(CLR_CHUNKED);
  for (const bytes of encoded) writer.ub(bytes.length).raw(bytes);
  writer.ub1(0);
}

export function writeStatus(writer: Writer, status: number, sequence: number): void {
  writer.ub1(9).ub(status).ub(sequence);
}

export function writeReturnParameters(
  writer: Writer,
  parameters: { changeNumber: number; cursorId: number; dml: number; rowCounts?: readonly number[] | undefined },
): void {
  writer.ub1(8).ub(6).ub(parameters.changeNumber).ub(0).ub(parameters.cursorId).ub(parameters.dml).ub(0).ub(0);
  writer.ub(0).ub(0).ub(0);
  if (parameters.rowCounts === undefined) return;
  writer.ub(parameters.rowCounts.length);
  for (const count of parameters.rowCounts) writer.ub(count);
}

/** 0Bh: each bind of a PL/SQL block is an IN bind. */
export function writeBindDirections(writer: Writer, binds: number): void {
  writer.ub1(0x0b, 0).ub(binds).ub(0).ub(1).ub(0).ub(0).ub(0);
  for (let i = 0; i < binds; i++) writer.ub1(DIRECTION_IN);
}

export function writeDescription(writer: Writer, dialect: Dialect, columns: readonly Column[]): void {
  const now = encodeDate(new Timestamp(Date.now()), 'DATE');
  writer.ub1(0x10).bytes(Buffer.concat([Buffer.alloc(16), now]));
  writer.ub(columns.reduce((sum, column) => sum + Math.max(1, column.maxBytes), 0)).ub(columns.length);
  writer.ub1(0x82);
  columns.forEach((column, index) => writeColumn(writer, dialect, column, index));
  writer.sized(now).ub(0).ub(0x1fe8).ub(2).ub(2).ub(0);
}

function writeColumn(writer: Writer, dialect: Dialect, column: Column, index: number): void {
  const { type, text, describedBytes = column.maxBytes } = wireTypes[column.type];
  const scale = column.type === 'NUMBER' && column.precision === undefined ? -127 : (column.scale ?? 0);
  const wideScale = dialect.wideScale && (column.type === 'NUMBER' || column.type.startsWith('TIMESTAMP'));
  writer.ub1(type, text ? 0x80 : 0, column.type === 'NUMBER' ? (column.precision ?? 0) : 0);
  if (wideScale && scale !== 0) writer.ub1(scale < 0 ? 0x81 : 1, Math.abs(scale));
  else writer.ub1(scale & 0xff);
  writer.ub(describedBytes).ub(0).ub(0).ub(0).ub(0);
  writer
    .ub(text ? CHARSET_AL32UTF8 : 0)
    .ub1(text ? 1 : 0)
    .ub(text ? column.maxBytes : 0);
  if (dialect.fieldVersion >= FIELD_VERSION_12_2) writer.ub(text ? 0x3ffe : 0);
  const name = Buffer.from(column.name);
  writer
    .ub1(column.nullable ? 1 : 0, Math.min(name.length, 255))
    .sized(name)
    .ub(0)
    .ub(0)
    .ub(index)
    .ub(0);
  if (dialect.fieldVersion >= FIELD_VERSION_23_1) writer.ub(0).ub(0);
  if (dialect.fieldVersion >= FIELD_VERSION_23_ANNOTATIONS) writer.ub(0);
  if (dialect.fieldVersion >= FIELD_VERSION_23_4) writer.ub(0).ub1(0, 0);
}

export interface RowsAnswer {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Value[])[];
  readonly from: number;
  readonly to: number;
  /** How many rows the client asked for. */
  readonly asked: number;
  readonly firstFetch: boolean;
}

/**
 * 06, u8 flags, ub2 columns, ub4 0, ub4 rows asked, ub2 0, ub4 bit vector, ub4 0, then the rows. From the third row of
 * a result on, and wherever a value repeats the one above, a bit vector says which columns are sent. A column of size 0
 * (the literal NULL) has no value at all.
 */
export function writeRows(writer: Writer, answer: RowsAnswer): void {
  const { columns, rows, from, to } = answer;
  writer
    .ub1(6, answer.firstFetch ? 0x22 : 0x02)
    .ub(columns.length)
    .ub(0)
    .ub(answer.asked)
    .ub(0);
  const first = from < to && from > 0 ? sentColumns(rows[from]!, rows[from - 1]!) : undefined;
  if (first === undefined) writer.ub(0);
  else writer.sized(first.vector);
  writer.ub(0);
  for (let index = from; index < to; index++) {
    const row = rows[index]!;
    const sent = index === from ? first : sentColumns(row, rows[index - 1]!);
    if (sent !== undefined && index > from && (index >= 2 || sent.count < columns.length)) {
      writer.ub1(0x15).ub(sent.count).raw(sent.vector);
    }
    writer.ub1(7);
    for (let column = 0; column < columns.length; column++) {
      if (sent !== undefined && (sent.vector[column >> 3]! & (1 << (column & 7))) === 0) continue;
      if (columns[column]!.maxBytes === 0) continue;
      writeValue(writer, columns[column]!, row[column]!);
      if (columns[column]!.maxBytes > MAX_STRING_BYTES) writer.ub(0).ub(0);
    }
  }
}

function sentColumns(row: readonly Value[], above: readonly Value[]): { vector: Uint8Array; count: number } {
  const vector = new Uint8Array(Math.ceil(row.length / 8));
  let count = 0;
  row.forEach((value, column) => {
    if (sameValue(value, above[column]!)) return;
    vector[column >> 3]! |= 1 << (column & 7);
    count++;
  });
  return { vector, count };
}
