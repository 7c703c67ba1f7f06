import { textFormat, type Format } from './format.ts';
import { isOneLine } from './plain-formats.ts';

const SCHEMES: ReadonlySet<string> = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:']);
const URL_ALLOWED = 'the URL of a broker';
const URL_FORM = ': mqtt://, mqtts://, ws:// or wss://, then the host, and :port if it is not the usual one';

export const brokerUrl: Format = {
  ...textFormat(URL_ALLOWED, () => true, { pattern: '^(mqtts?|wss?)://' }),
  check: (value) => {
    const refused = [{ must: `must be ${URL_ALLOWED}${URL_FORM}`, got: value }];
    if (typeof value !== 'string' || !isOneLine(value) || value.includes(' ') || !URL.canParse(value)) return refused;
    const url = new URL(value);
    if (!SCHEMES.has(url.protocol) || url.hostname === '' || !value.includes('://')) return refused;
    if (url.username !== '' || url.password !== '') {
      return [{ must: 'must not hold a user name or password: they belong in mqtt.username and mqtt.password' }];
    }
    if (url.hash !== '') return [{ must: 'must not have a part after #' }];
    const isSocket = url.protocol === 'mqtt:' || url.protocol === 'mqtts:';
    if (isSocket && ((url.pathname !== '' && url.pathname !== '/') || url.search !== '')) {
      return [{ must: 'must end after host and port: only ws:// and wss:// have a path', got: value }];
    }
    return [];
  },
};

const MAX_BASE_TOPIC_BYTES = 1024;

/** The start of the bridge's own topics. */
export const baseTopic = textFormat(
  'a topic without + and #, not beginning with $ and not ending with /',
  (value) =>
    value !== '' &&
    isOneLine(value) &&
    Buffer.byteLength(value) <= MAX_BASE_TOPIC_BYTES &&
    !/^\$|[+#]|\/$/.test(value) &&
    !/[{}]/.test(value.replaceAll('{id}', '')),
);
