import { fieldsJsonSchema, objectProblems, unless, type Fields, type Problem } from '../core/fields.ts';
import type { Message } from '../core/message.ts';
import type { TagValues } from '../core/tag-values.ts';
import { BINARY_TYPE_NAMES, binaryTypeBytes, compileBinaryNumber, type BinaryTypeName } from './binary-number.ts';
import type { CompiledFormat, DecodeOutcome, FormatScope, FormatSubscription, PayloadFormat } from './format.ts';
import { reasonFor, reasonsOf } from './reasons.ts';
import type { NamedTag } from './tag-name.ts';
import { readText, unpadded } from './text.ts';

/** What the options of the format say. */
export interface ScalarOptions {
  /** The payload is a number of this type; absent: it is text. */
  readonly binary?: BinaryTypeName | undefined;
  readonly wordSwap: boolean;
  readonly empty: 'skip' | 'null';
}

interface Options {
  readonly scalar: ScalarOptions;
}

const scalarReason = reasonsOf({
  PLC_CODE_MISSING: () => 'the topic gives no PLC code by "plcCode" of the subscription, and there must be one',
});

/** As JSON has it [RFC 8259 section 6], with a sign or without, and without a digit before the point. */
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const JSON_BEGINNINGS = '{["';
const WORDS = new Map<string, boolean | null>([
  ['', null],
  ['null', null],
  ['true', true],
  ['false', false],
]);

const FIELDS: Fields<ScalarOptions> = {
  binary: {
    doc: 'the payload is one binary number of this type; left out: it is text',
    jsonSchema: { enum: BINARY_TYPE_NAMES },
    default: undefined,
    check: (value) =>
      unless(
        value === undefined || BINARY_TYPE_NAMES.some((name) => name === value),
        `must be one of ${BINARY_TYPE_NAMES.join(', ')}`,
        value,
      ),
  },
  wordSwap: {
    doc: 'its 16-bit words stand in the opposite order, as in some Modbus devices',
    jsonSchema: { type: 'boolean' },
    default: false,
    check: (value) => unless(typeof value === 'boolean', 'must be true or false', value),
  },
  empty: {
    doc: 'what an empty payload is: "skip", no value, as it clears a retained message; or "null", the value NULL',
    jsonSchema: { enum: ['skip', 'null'] },
    default: 'skip',
    check: (value) => unless(value === 'skip' || value === 'null', 'must be "skip" or "null"', value),
  },
};

const DEFAULTS: ScalarOptions = { wordSwap: false, empty: 'skip' };

/**
 * One message, one value, whose tag the topic names: a number, `true`, `false`, `null`, a JSON string or an object
 * `{ value, timestamp, quality }`. Any other text is a string as it stands, without the white space around it and the
 * padding behind it. Or, with `binary`, a number of that type.
 */
export const scalar: PayloadFormat<'scalar', Options> = {
  name: 'scalar',
  doc: 'one message is one value',
  options: {
    scalar: {
      doc: 'how the payload is read, such as { "binary": "float32be" }: docs/payloads.md',
      jsonSchema: fieldsJsonSchema(FIELDS),
      default: DEFAULTS,
      check: (value): readonly Problem[] => objectProblems(FIELDS, value, '{ "binary": "float32be" }'),
      complete: (value) => ({ ...DEFAULTS, ...value }),
    },
  },
  proposals: [{ name: 'scalar', options: {} }],
  says: () => ({ plcCode: false, tagAddress: false, timestamp: false }),
  compile: (subscription, scope) => compile(subscription, scope),
};

function compile(subscription: FormatSubscription & Partial<Options>, scope: FormatScope): CompiledFormat {
  const { binary, empty, wordSwap } = { ...DEFAULTS, ...subscription.scalar };
  const { tags, values } = scope;
  const needsPlc = subscription.plcCode !== '' || tags.namesPlc;
  const push = binary === undefined ? pushText(scope) : pushBinary(binary, wordSwap, scope);
  return {
    readsEmpty: empty === 'null',
    decode: (message, topic, into) => {
      if (needsPlc && topic.plcCode === '') return scalarReason('PLC_CODE_MISSING');
      const tag = tags.ofPlc(topic.plcCode).at(0, topic.tagAddress);
      if (message.payload.length > 0) return push(message, tag, into);
      values.begin(into, '');
      values.setDefaults(undefined, undefined, message.receivedAtMs);
      values.push(tag, null);
      return undefined;
    },
  };
}

type Push = (message: Message, tag: NamedTag, into: TagValues) => DecodeOutcome;

function pushBinary(name: BinaryTypeName, wordSwap: boolean, { values }: FormatScope): Push {
  const read = compileBinaryNumber(name, wordSwap);
  return ({ payload, receivedAtMs }, tag, into) => {
    const number = read(payload);
    if (number === undefined) {
      const message = `the payload has ${payload.length} bytes, and a number of type ${name} has ${binaryTypeBytes(name)}`;
      return { code: 'BINARY_LENGTH', message };
    }
    values.begin(into, '');
    values.setDefaults(undefined, undefined, receivedAtMs);
    if (typeof number === 'number' && Number.isFinite(number)) values.push(tag, number);
    else values.pushNumber(tag, String(number));
    return undefined;
  };
}

function pushText({ values }: FormatScope): Push {
  return ({ payload, receivedAtMs }, tag, into) => {
    const sent = readText(payload);
    if (sent === undefined) return reasonFor('INVALID_UTF8');
    const text = unpadded(sent.trim()).trim();
    const document = parseIfJson(text);
    if (document !== undefined) {
      return values.decodeJson(into, text, document, (parsed) => {
        values.setDefaults(undefined, undefined, receivedAtMs);
        values.push(tag, parsed);
        return undefined;
      });
    }
    values.begin(into, text);
    values.setDefaults(undefined, undefined, receivedAtMs);
    const word = WORDS.get(text);
    if (word !== undefined) values.push(tag, word);
    else if (NUMBER.test(text)) values.pushNumber(tag, text.startsWith('+') ? text.slice(1) : text);
    else values.push(tag, text);
    return undefined;
  };
}

/** An object, an array or a string; undefined for any other text. */
function parseIfJson(text: string): unknown {
  if (text === '' || !JSON_BEGINNINGS.includes(text.charAt(0))) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
