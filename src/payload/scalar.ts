import type { Message } from '../core/message.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { DecodeOutcome, FormatScope, PayloadFormat, TopicNames } from './format.ts';
import { reasonFor } from './reasons.ts';
import { readText } from './text.ts';

/** [RFC 8259 section 6] */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const JSON_BEGINNINGS = '{["';
const WORDS = new Map<string, boolean | null>([
  ['', null],
  ['null', null],
  ['true', true],
  ['false', false],
]);

/**
 * One message, one value, whose tag the topic names: a number, `true`, `false`, nothing or `null`, a JSON string or an
 * object `{ value, timestamp, quality }`. Any other text is a string as it stands, without the white space around it.
 */
export const scalar: PayloadFormat<'scalar'> = {
  name: 'scalar',
  doc: 'one message is one value',
  options: {},
  proposals: [{ name: 'scalar', options: {} }],
  says: () => ({ plcCode: false, tagAddress: false, timestamp: false }),
  compile: (_subscription, scope) => ({ decode: (message, topic, into) => decode(message, topic, into, scope) }),
};

function decode(message: Message, topic: TopicNames, into: TagValues, { tags, values }: FormatScope): DecodeOutcome {
  const text = readText(message.payload)?.trim();
  if (text === undefined) return reasonFor('INVALID_UTF8');
  const tag = tags.ofPlc(topic.plcCode).at(0, topic.tagAddress);

  const document = parseIfJson(text);
  if (document !== undefined) {
    return values.decodeJson(into, text, document, (parsed) => {
      values.setDefaults(undefined, undefined, message.receivedAtMs);
      values.push(tag, parsed);
      return undefined;
    });
  }
  values.begin(into, text);
  values.setDefaults(undefined, undefined, message.receivedAtMs);
  const word = WORDS.get(text);
  if (word !== undefined) values.push(tag, word);
  else if (JSON_NUMBER.test(text)) values.pushNumber(tag, text);
  else values.push(tag, text);
  return undefined;
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
