import { brokerOf } from '../../core/broker-url.ts';
import type { Problem } from '../../core/fields.ts';
import type { SettingKind } from '../setting.ts';
import { isOneLine } from './plain-kinds.ts';
import { textKind } from './text-kind.ts';

const SCHEMES: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);
const URL_ALLOWED = 'the URL of a broker';
const URL_FORM = ': mqtt://, mqtts://, ws:// or wss://, then the host, and :port if it is not the usual one';
const LIST_FORM = 'several brokers are a list, ["mqtt://a", "mqtt://b"], or in the environment "mqtt://a,mqtt://b"';
/** Only a comma before another URL: the path of a WebSocket may have one in it. */
const BETWEEN_URLS = /,\s*(?=[a-z]+:\/\/)/i;
const URL_SCHEMA = { type: 'string', minLength: 1, pattern: '^(mqtts?|wss?)://' };

/** One URL, or a list of them; a text has commas between them. */
export const brokerUrls: SettingKind = {
  allowed: () => `${URL_ALLOWED}, or a list of them; in the environment with commas between`,
  check: (value) => {
    if (!Array.isArray(value)) return urlProblems(value);
    const urls: readonly unknown[] = value;
    if (urls.length === 0) return [{ must: `must be ${URL_ALLOWED}, or a list of them with one at least in it` }];
    return urls.flatMap((url, i) => {
      const [problem] = urlProblems(url);
      if (problem !== undefined) return [{ ...problem, at: `[${i}]` }];
      const earlier = urls.findIndex((other, j) => j < i && isSameBroker(other, url));
      return earlier === -1 ? [] : [{ at: `[${i}]`, must: `must not name the same broker as [${earlier}]`, got: url }];
    });
  },
  parse: (text) => (BETWEEN_URLS.test(text) ? text.split(BETWEEN_URLS).map((url) => url.trim()) : text),
  jsonSchema: () => ({
    oneOf: [URL_SCHEMA, { type: 'array', minItems: 1, uniqueItems: true, items: URL_SCHEMA }],
  }),
};

function urlProblems(value: unknown): Problem[] {
  const refused = [{ must: `must be ${URL_ALLOWED}${URL_FORM}`, got: value }];
  if (typeof value !== 'string' || !isOneLine(value) || value.includes(' ') || !URL.canParse(value)) return refused;
  const url = new URL(value);
  if (!SCHEMES.has(url.protocol) || url.hostname === '' || !value.includes('://')) return refused;
  if (url.username !== '' || url.password !== '') {
    return [{ must: 'must not hold a user name or password: they belong in mqtt.username and mqtt.password' }];
  }
  if (url.host.includes(',')) return [{ must: `must have one host: ${LIST_FORM}`, got: value }];
  if (url.hash !== '') return [{ must: 'must not have a part after #' }];
  const isSocket = url.protocol === 'mqtt:' || url.protocol === 'mqtts:';
  if (isSocket && ((url.pathname !== '' && url.pathname !== '/') || url.search !== '')) {
    return [{ must: 'must end after host and port: only ws:// and wss:// have a path', got: value }];
  }
  return [];
}

function isSameBroker(a: unknown, b: unknown): boolean {
  if (typeof a !== 'string' || typeof b !== 'string' || !URL.canParse(a) || !URL.canParse(b)) return false;
  return brokerOf(a) === brokerOf(b);
}

const MAX_BASE_TOPIC_BYTES = 1024;

/** The start of the bridge's own topics. */
export const baseTopic = textKind(
  'a topic without + and #, not beginning with $ and not ending with /',
  (value) =>
    value !== '' &&
    isOneLine(value) &&
    Buffer.byteLength(value) <= MAX_BASE_TOPIC_BYTES &&
    !/^\$|[+#]|\/$/.test(value) &&
    !/[{}]/.test(value.replaceAll('{id}', '')),
);
