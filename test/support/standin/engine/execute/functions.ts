/** The scalar functions and pseudo columns, as a table. */
import { SqlFault } from '../faults.ts';
import type { ValueType } from '../sql/ast.ts';
import type { Value } from '../types.ts';
import { Timestamp } from '../types.ts';
import type { NonNull } from '../values/convert.ts';
import { toBytes, toNumber, toText, toTimestamp } from '../values/convert.ts';
import { formatTimestamp, parseTimestamp } from '../values/datetime-format.ts';
import {
  DATE_TYPE,
  TIMESTAMP_TYPE,
  TIMESTAMP_TZ_TYPE,
  truncateToSecond,
  withZone,
  withoutZone,
} from '../values/datetime.ts';
import { calculate, compareNumbers, roundNumber, toDouble } from '../values/decimal.ts';
import { offsetText } from '../values/settings.ts';
import type { SessionContext } from './context.ts';
import { formatNumber, parseFormattedNumber } from './number-format.ts';

type Types = readonly ValueType[];

interface ScalarFunction {
  readonly minArgs: number;
  readonly maxArgs: number;
  type(args: Types): ValueType;
  /** Called with null arguments only when `acceptsNull`. */
  call(args: readonly NonNull[], context: SessionContext, types: Types): Value;
  readonly acceptsNull?: boolean;
}

export const NUMBER_TYPE: ValueType = { type: 'NUMBER', maxBytes: 22 };
export const textType = (maxBytes: number): ValueType => ({
  type: 'VARCHAR2',
  maxBytes,
  length: maxBytes,
  charSemantics: false,
});

const constant = (type: ValueType) => (): ValueType => type;
const ofFirst = (args: Types): ValueType => args[0]!;
const textOfFirst = (args: Types): ValueType => textType(Math.max(1, args[0]!.maxBytes));
const nullIfEmpty = (text: string): Value => (text === '' ? null : text);

/** The common type of alternatives such as those of NVL. */
function commonType(args: Types): ValueType {
  const first = args.find((type) => type.maxBytes > 0) ?? args[0]!;
  const isText = first.type === 'VARCHAR2' || first.type === 'CHAR';
  return isText ? textType(Math.max(1, ...args.map((type) => type.maxBytes))) : first;
}

function firstNonNull(args: readonly Value[]): Value {
  return args.find((value) => value !== null) ?? null;
}

function systemTimestamp(context: SessionContext): Timestamp {
  const nowMs = context.now();
  const ms = Math.floor(nowMs);
  return new Timestamp(ms, Math.round((nowMs - ms) * 1000) * 1000, 0);
}

function currentTimestamp(context: SessionContext): Timestamp {
  const { ms, ns } = systemTimestamp(context);
  return new Timestamp(ms, ns, context.settings.offsetMinutes);
}

const now = (type: ValueType, call: (context: SessionContext) => Value): ScalarFunction => ({
  minArgs: 0,
  maxArgs: 0,
  type: constant(type),
  call: (_args, context) => call(context),
});

function dateParser(type: ValueType, convert: (value: Timestamp, context: SessionContext) => Value): ScalarFunction {
  return {
    minArgs: 1,
    maxArgs: 3,
    type: constant(type),
    call: ([value, format], context) => {
      const parsed =
        format === undefined
          ? toTimestamp(value!, context, type.type)
          : parseTimestamp(toText(value!, context), toText(format, context), context.now());
      return convert(parsed, context);
    },
  };
}

function toChar(args: readonly NonNull[], context: SessionContext, types: Types): Value {
  const [value, format] = args;
  if (format === undefined) return nullIfEmpty(toText(value!, context, types[0]!.type));
  const model = toText(format, context);
  if (value instanceof Timestamp) return formatTimestamp(value, model, context.settings.offsetMinutes);
  return formatNumber(toNumber(value!), model);
}

function substring(args: readonly NonNull[], context: SessionContext): Value {
  const characters = Array.from(toText(args[0]!, context));
  const start = Math.trunc(toDouble(toNumber(args[1]!)));
  const length = args[2] === undefined ? characters.length : Math.trunc(toDouble(toNumber(args[2])));
  const from = start > 0 ? start - 1 : start < 0 ? characters.length + start : 0;
  if (from < 0 || length < 1) return null;
  return nullIfEmpty(characters.slice(from, from + length).join(''));
}

const USERENV: Readonly<Record<string, (context: SessionContext) => Value>> = {
  SESSION_USER: (context) => context.user,
  CURRENT_USER: (context) => context.user,
  CURRENT_SCHEMA: (context) => context.user,
  SESSIONID: (context) => String(context.sessionId),
  SID: (context) => String(context.sessionId),
  DB_NAME: () => 'STANDIN',
  DB_UNIQUE_NAME: () => 'STANDIN',
  SERVICE_NAME: () => 'standin',
  INSTANCE_NAME: () => 'standin',
  CON_NAME: () => 'STANDIN',
  SERVER_HOST: () => 'localhost',
  HOST: () => 'localhost',
  LANGUAGE: () => 'AMERICAN_AMERICA.AL32UTF8',
  LANG: () => 'US',
  NLS_DATE_FORMAT: (context) => context.settings.dateFormat,
  ISDBA: () => 'FALSE',
  MODULE: ({ settings }) => settings.names.get('MODULE') ?? null,
  ACTION: ({ settings }) => settings.names.get('ACTION') ?? null,
  CLIENT_IDENTIFIER: ({ settings }) => settings.names.get('CLIENT_IDENTIFIER') ?? null,
  CLIENT_INFO: ({ settings }) => settings.names.get('CLIENT_INFO') ?? null,
};

function userEnvironment([namespace, parameter]: readonly NonNull[], context: SessionContext): Value {
  if (toText(namespace!, context).toUpperCase() !== 'USERENV') return null;
  const name = toText(parameter!, context).toUpperCase();
  const read = Object.hasOwn(USERENV, name) ? USERENV[name] : undefined;
  if (read === undefined) throw new SqlFault(2003);
  return read(context);
}

const text = (call: (text: string) => Value, type: (args: Types) => ValueType = textOfFirst): ScalarFunction => ({
  minArgs: 1,
  maxArgs: 1,
  type,
  call: ([value], context) => call(toText(value!, context)),
});

const FUNCTIONS: Readonly<Record<string, ScalarFunction>> = {
  SYSTIMESTAMP: now({ ...TIMESTAMP_TZ_TYPE, scale: 6 }, systemTimestamp),
  CURRENT_TIMESTAMP: now({ ...TIMESTAMP_TZ_TYPE, scale: 6 }, currentTimestamp),
  LOCALTIMESTAMP: now({ ...TIMESTAMP_TYPE, scale: 6 }, (context) => withoutZone(currentTimestamp(context))),
  SYSDATE: now(DATE_TYPE, (context) => truncateToSecond(systemTimestamp(context))),
  CURRENT_DATE: now(DATE_TYPE, (context) => truncateToSecond(currentTimestamp(context))),
  USER: now(textType(128), (context) => context.user),
  UID: now(NUMBER_TYPE, (context) => [...context.catalog.users].indexOf(context.user) + 100),
  DBTIMEZONE: now(textType(6), () => '+00:00'),
  SESSIONTIMEZONE: now(textType(75), (context) => offsetText(context.settings.offsetMinutes)),
  SYS_EXTRACT_UTC: {
    minArgs: 1,
    maxArgs: 1,
    type: constant(TIMESTAMP_TYPE),
    call: ([value], context) => {
      const zoned = withZone(toTimestamp(value!, context, TIMESTAMP_TZ_TYPE.type), context.settings.offsetMinutes);
      return new Timestamp(zoned.ms, zoned.ns);
    },
  },
  SYS_CONTEXT: { minArgs: 2, maxArgs: 3, type: constant(textType(256)), call: userEnvironment },
  UPPER: text((value) => value.toUpperCase()),
  LOWER: text((value) => value.toLowerCase()),
  TRIM: text((value) => nullIfEmpty(value.replaceAll(/^ +| +$/g, ''))),
  LENGTH: text((value) => Array.from(value).length, constant(NUMBER_TYPE)),
  LENGTHB: {
    minArgs: 1,
    maxArgs: 1,
    type: constant(NUMBER_TYPE),
    call: ([value], context) =>
      value instanceof Uint8Array ? toBytes(value).length : Buffer.byteLength(toText(value!, context)),
  },
  SUBSTR: { minArgs: 2, maxArgs: 3, type: textOfFirst, call: substring },
  NVL: { minArgs: 2, maxArgs: 2, type: commonType, call: firstNonNull, acceptsNull: true },
  COALESCE: { minArgs: 2, maxArgs: 255, type: commonType, call: firstNonNull, acceptsNull: true },
  TO_CHAR: { minArgs: 1, maxArgs: 3, type: constant(textType(256)), call: toChar },
  TO_NUMBER: {
    minArgs: 1,
    maxArgs: 3,
    type: constant(NUMBER_TYPE),
    call: ([value, format]) =>
      format === undefined || typeof value !== 'string' ? toNumber(value!) : parseFormattedNumber(value),
  },
  TO_DATE: dateParser(DATE_TYPE, truncateToSecond),
  TO_TIMESTAMP: dateParser(TIMESTAMP_TYPE, withoutZone),
  TO_TIMESTAMP_TZ: dateParser(TIMESTAMP_TZ_TYPE, (value, { settings }) => withZone(value, settings.offsetMinutes)),
  ABS: {
    minArgs: 1,
    maxArgs: 1,
    type: ofFirst,
    call: ([value]) => {
      const number = toNumber(value!);
      return compareNumbers(number, 0) < 0 ? calculate('-', 0, number) : number;
    },
  },
  ROUND: {
    minArgs: 1,
    maxArgs: 2,
    type: constant(NUMBER_TYPE),
    call: ([value, digits]) => roundNumber(toNumber(value!), digits === undefined ? 0 : toDouble(toNumber(digits))),
  },
};

/** undefined when there is no such function. */
export function findFunction(name: string): ScalarFunction | undefined {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
}
