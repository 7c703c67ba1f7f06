/**
 * Requests after the log-on: piggybacks, then one call.
 *
 *   call        03, function, sequence, [ub8 token from field version 18]
 *   piggyback   11h, function, sequence, [token]; no answer
 *   execute     94: see `readExecute`
 *   re-execute  4, 78: ub4 cursor, ub4 iterations (78: rows to fetch), ub4 flags, ub4 flags (4: 1 = commit), rows
 *   fetch       5: ub4 cursor, ub4 rows
 *   version     59: u8, ub4 bytes that the client has room for, u8, u8, [ub4 from field version 11]
 *   others      14 commit, 15 rollback, 147 ping, 9 logoff: nothing follows
 */
import type { SessionName } from '../engine/values/settings.ts';
import type { Dialect } from './negotiation.ts';
import { bindableTypes, type BindType, wideScaleTypes } from './values.ts';
import type { Reader } from './wire.ts';

const MESSAGE_CALL = 0x03;
const MESSAGE_PIGGYBACK = 0x11;
const FIELD_VERSION_TOKEN = 18;
const FIELD_VERSION_12_2 = 8;
const FIELD_VERSION_12_2_EXT1 = 9;
const FIELD_VERSION_18C = 11;
const BIND_IS_ARRAY = 0x40;

export const CallFunction = {
  reexecute: 4,
  fetch: 5,
  logoff: 9,
  commit: 14,
  rollback: 15,
  reexecuteAndFetch: 78,
  execute: 94,
  version: 59,
  loginPhaseTwo: 115,
  loginPhaseOne: 118,
  ping: 147,
} as const;

const PiggybackFunction = {
  closeCursors: 105,
  cancelCursors: 120,
  endToEnd: 135,
  setSchema: 152,
  /** With the JDBC driver's logoff: four numbers as text (`512,0,0,0`) of a meaning that nobody has told. */
  jdbcNumbers: 191,
} as const;

const Option = {
  parse: 0x1,
  execute: 0x20,
  fetch: 0x40,
  commit: 0x100,
  plsqlBind: 0x400,
  notPlsql: 0x8000,
  describe: 0x20000,
  batchErrors: 0x80000,
} as const;

/** Bytes that this server does not understand, in the request with this number (0 where that is not known). */
export class ProtocolError extends Error {
  readonly sequence: number;
  constructor(message: string, sequence = 0) {
    super(message);
    this.sequence = sequence;
  }
}

export interface CallHeader {
  readonly function: number;
  readonly sequence: number;
}

/** Execute, re-execute and fetch in one shape. */
export interface StatementCall extends CallHeader {
  /** 0: a new cursor. */
  readonly cursorId: number;
  readonly sql?: string;
  readonly describeOnly: boolean;
  readonly executes: boolean;
  /** 0: none. */
  readonly fetchRows: number;
  readonly commit: boolean;
  readonly batchErrors: boolean;
  /** Undefined: as in the cursor's last execute. */
  readonly rowCounts?: boolean;
  readonly iterations: number;
  readonly isQuery?: boolean;
  readonly isPlsql: boolean;
  /** Undefined: as in the cursor's last execute. */
  readonly binds?: readonly BindType[];
  /** A bind of a type that this server does not know: its values can't even be skipped. */
  readonly unsupportedBind?: number;
}

export interface Piggybacks {
  readonly closedCursors: number[];
  schema?: string;
  /** What the client says of itself from now on; an empty text takes it back. */
  readonly names: Map<SessionName, string>;
}

/** Reads piggybacks up to the call's header. */
export function readHeader(reader: Reader, dialect: Dialect): { piggybacks: Piggybacks; header: CallHeader } {
  const piggybacks: Piggybacks = { closedCursors: [], names: new Map() };
  for (;;) {
    const message = reader.ub1();
    if (message !== MESSAGE_CALL && message !== MESSAGE_PIGGYBACK) throw new ProtocolError(`message type ${message}`);
    const header = { function: reader.ub1(), sequence: reader.ub1() };
    if (dialect.fieldVersion >= FIELD_VERSION_TOKEN) reader.ub();
    if (message === MESSAGE_CALL) return { piggybacks, header };
    readPiggyback(reader, dialect, header, piggybacks);
  }
}

function readText(reader: Reader, dialect: Dialect, length: number): string {
  return dialect.bareTexts ? reader.take(length).toString() : reader.text();
}

function readPiggyback(reader: Reader, dialect: Dialect, header: CallHeader, into: Piggybacks): void {
  const fn = header.function;
  switch (fn) {
    case PiggybackFunction.closeCursors:
    case PiggybackFunction.cancelCursors: {
      reader.skip(1);
      const ids = Array.from({ length: reader.ub() }, () => reader.ub());
      if (fn === PiggybackFunction.closeCursors) into.closedCursors.push(...ids);
      return;
    }
    case PiggybackFunction.setSchema:
      reader.skip(1);
      into.schema = readText(reader, dialect, reader.ub());
      return;
    case PiggybackFunction.jdbcNumbers: {
      reader.skip(1);
      const length = reader.ub();
      reader.skip(1);
      readText(reader, dialect, length);
      return;
    }
    case PiggybackFunction.endToEnd:
      readEndToEnd(reader, dialect, into.names);
      return;
    default:
      // The call that it belongs to has the next number.
      throw new ProtocolError(`piggyback function ${fn}`, header.sequence + 1);
  }
}

/** The texts of the end-to-end attributes in their order: where their length stands, and the flag that means them. */
const END_TO_END: readonly { readonly length: number; readonly flag: number; readonly name?: SessionName }[] = [
  { length: 0, flag: 0x0001, name: 'CLIENT_IDENTIFIER' },
  { length: 1, flag: 0x0008, name: 'MODULE' },
  { length: 2, flag: 0x0010, name: 'ACTION' },
  { length: 3, flag: 0 },
  { length: 5, flag: 0x0100, name: 'CLIENT_INFO' },
  { length: 8, flag: 0x0200 },
];

/**
 * 2 bytes, ub4 flags, then pairs of u8 and ub4: lengths of client id, module, action, ecid, -, client info, -, -,
 * operation.
 */
function readEndToEnd(reader: Reader, dialect: Dialect, into: Map<SessionName, string>): void {
  reader.skip(2);
  const flags = reader.ub();
  const lengths = Array.from({ length: 9 }, () => {
    reader.skip(1);
    return reader.ub();
  });
  for (const { length: index, flag, name } of END_TO_END) {
    const text = lengths[index]! > 0 ? readText(reader, dialect, lengths[index]!) : '';
    if (name !== undefined && (flags & flag) !== 0) into.set(name, text);
  }
}

/** True for execute, re-execute and fetch. */
export function isStatementCall(header: CallHeader): boolean {
  return (
    header.function === CallFunction.execute ||
    header.function === CallFunction.reexecute ||
    header.function === CallFunction.reexecuteAndFetch ||
    header.function === CallFunction.fetch
  );
}

/** Reads what comes after the header of a call without a statement. */
export function readPlainCall(reader: Reader, dialect: Dialect, header: CallHeader): void {
  if (header.function !== CallFunction.version) return;
  skipPairs(reader, '1n11');
  if (dialect.fieldVersion >= FIELD_VERSION_18C) reader.ub();
}

/**
 * Reads the body of a statement call, up to the rows of binds.
 *
 * Execute: ub4 options, ub4 cursor, u8, ub4 SQL length, u8, ub4 13, u8, u8, ub4 size of a prefetch buffer, ub4 rows to
 * fetch, ub4, u8, ub4 binds, 5
 * bytes, u8, ub4 defines, ub4, 3 bytes, ub4, u8, ub4, ub4, u8, ub4, u8, [u8, ub4, u8, ub4, u8 from field version 8, u8,
 * ub4 from 9], SQL text, 13 ub4, descriptions of binds or defines. Of the 13, [1] is the number of iterations, [7] is 1
 * for a query, [9] bit 0x4000 asks for row counts.
 */
export function readStatementCall(reader: Reader, dialect: Dialect, header: CallHeader): StatementCall {
  switch (header.function) {
    case CallFunction.fetch: {
      const cursorId = reader.ub();
      return { ...header, ...nothing, cursorId, fetchRows: reader.ub(), executes: false };
    }
    case CallFunction.reexecute:
    case CallFunction.reexecuteAndFetch: {
      const cursorId = reader.ub();
      const count = reader.ub();
      reader.ub();
      const flags = reader.ub();
      const fetches = header.function === CallFunction.reexecuteAndFetch;
      return {
        ...header,
        ...nothing,
        cursorId,
        fetchRows: fetches ? count : 0,
        iterations: fetches ? 1 : count,
        commit: (flags & 1) !== 0,
      };
    }
    default:
      return readExecute(reader, dialect, header);
  }
}

const nothing = {
  describeOnly: false,
  executes: true,
  fetchRows: 0,
  commit: false,
  batchErrors: false,
  iterations: 0,
  isPlsql: false,
} as const;

function readExecute(reader: Reader, dialect: Dialect, header: CallHeader): StatementCall {
  const options = reader.ub();
  const cursorId = reader.ub();
  reader.skip(1);
  const sqlLength = reader.ub();
  reader.skip(1);
  const numbers = reader.ub();
  reader.skip(2);
  reader.ub();
  const fetchRows = reader.ub();
  reader.ub();
  reader.skip(1);
  const bindCount = reader.ub();
  reader.skip(6);
  const defineCount = reader.ub();
  reader.ub();
  reader.skip(3);
  skipPairs(reader, 'n1nn1n1');
  if (dialect.fieldVersion >= FIELD_VERSION_12_2) skipPairs(reader, '1n1n1');
  if (dialect.fieldVersion >= FIELD_VERSION_12_2_EXT1) skipPairs(reader, '1n');
  const sql = sqlLength > 0 ? readText(reader, dialect, sqlLength) : undefined;
  const vector = Array.from({ length: numbers }, () => reader.ub());
  const isQuery = vector[7] === 1;
  const binds = Array.from({ length: bindCount }, () => readDescription(reader, dialect));
  for (let i = 0; i < defineCount; i++) readDescription(reader, dialect);
  const unsupported = binds.find((bind) => bind.array || !bindableTypes.has(bind.type));
  return {
    ...header,
    cursorId,
    ...(sql === undefined ? {} : { sql }),
    describeOnly: (options & Option.describe) !== 0,
    executes: (options & Option.execute) !== 0,
    // Rows come with an execute also where the option to fetch is not set: go_ora.pcapng [15] and [16] (19.22),
    // jdbc_thin_cursor_reexec.pcapng [9] and [10] (23.26) in fclairamb/dbbat.
    fetchRows: (options & (Option.fetch | Option.execute)) === 0 ? 0 : fetchRows,
    commit: (options & Option.commit) !== 0,
    batchErrors: (options & Option.batchErrors) !== 0,
    rowCounts: ((vector[9] ?? 0) & 0x4000) !== 0,
    iterations: isQuery ? 1 : (vector[1] ?? 0),
    isQuery,
    isPlsql: (options & Option.plsqlBind) !== 0,
    binds,
    ...(unsupported === undefined ? {} : { unsupportedBind: unsupported.type }),
  };
}

/** `1` a byte, `n` a ub4. */
function skipPairs(reader: Reader, shape: string): void {
  for (const part of shape) {
    if (part === '1') reader.skip(1);
    else reader.ub();
  }
}

/**
 * u8 type, flags, precision, scale (a ub2 for numbers and timestamps of a client with wide scales), ub4 max size, array
 * size, flags, type-id [+ bytes], ub2, ub2, u8 charset form, ub4, [ub4].
 */
function readDescription(reader: Reader, dialect: Dialect): BindType & { readonly array: boolean } {
  const type = reader.ub1();
  const flags = reader.ub1();
  reader.skip(1);
  if (dialect.wideScale && wideScaleTypes.has(type)) reader.ub();
  else reader.skip(1);
  const maxBytes = reader.ub();
  reader.ub();
  reader.ub();
  if (reader.ub() > 0) reader.bytes();
  reader.ub();
  reader.ub();
  const national = reader.ub1() === 2;
  reader.ub();
  if (dialect.fieldVersion >= FIELD_VERSION_12_2) reader.ub();
  return { type, maxBytes, national, array: (flags & BIND_IS_ARRAY) !== 0 };
}
