import type { Reason } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { DecodeOutcome, FormatScope, PayloadFormat, TopicNames } from './format.ts';
import { invalidJson, reasonFor, reasonsOf } from './reasons.ts';
import { readText, unpadded } from './text.ts';
import { isJsonObject } from './value-decoder.ts';

/**
 * It is part of the name of each tag of the message: without a limit one of megabytes would be, too, and fill the
 * memory.
 */
const MAX_PLC_CODE_LENGTH = 255;

const pollingReason = reasonsOf({
  TAG_VALUES_MISSING: (found) => `"tag_values" must be an object, not ${found}`,
});

/**
 * One message, many tags: `{ timestamp, plc_code, quality, tag_values: { address: value … } }`. The values keep the
 * order in which JavaScript lists an object's keys: whole numbers first, ascending, then the others as sent. Of a key
 * that comes twice, the last one counts.
 */
export const polling: PayloadFormat<'polling'> = {
  name: 'polling',
  doc: 'one JSON message with many tags',
  options: {},
  proposals: [{ name: 'polling', options: {} }],
  says: () => ({ plcCode: true, tagAddress: true, timestamp: true }),
  compile: (_subscription, scope) => ({ decode: (message, topic, into) => decode(message, topic, into, scope) }),
};

function decode(message: Message, topic: TopicNames, into: TagValues, scope: FormatScope): DecodeOutcome {
  const json = readText(message.payload);
  if (json === undefined) return reasonFor('INVALID_UTF8');
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (thrown) {
    return invalidJson(thrown);
  }
  return scope.values.decodeJson(into, json, document, (parsed) =>
    expand(parsed, topic.plcCode, message.receivedAtMs, scope),
  );
}

function expand(
  document: unknown,
  topicPlcCode: string,
  receivedAtMs: number,
  { tags, values }: FormatScope,
): Reason | undefined {
  if (!isJsonObject(document)) return reasonFor('NOT_AN_OBJECT', document);
  const tagValues = document['tag_values'];
  if (!isJsonObject(tagValues)) return pollingReason('TAG_VALUES_MISSING', tagValues);

  const given = values.unmark(document['plc_code'] ?? '');
  const sent = typeof given === 'number' ? values.numberText(given) : given;
  if (typeof sent !== 'string') return reasonFor('PLC_CODE_INVALID', sent);
  const plcCode = unpadded(sent) || topicPlcCode;
  if (plcCode === '') return reasonFor('PLC_CODE_MISSING');
  if (plcCode.length > MAX_PLC_CODE_LENGTH) return reasonFor('PLC_CODE_TOO_LONG', plcCode);

  values.setDefaults(document['timestamp'], document['quality'], receivedAtMs);
  const plcTags = tags.ofPlc(plcCode);
  let index = 0;
  for (const address in tagValues) {
    values.push(plcTags.at(index, address), tagValues[address]);
    index += 1;
  }
  return undefined;
}
