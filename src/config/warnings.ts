import { levelsOf } from '../core/topic-filter.ts';
import type { Config, Subscription } from './config.ts';
import { wildcardTemplate } from './kinds/subscription-fields.ts';

/** Something that is allowed and hardly meant: the path, and what will come of it. */
export interface ConfigWarning {
  readonly path: string;
  readonly message: string;
}

/** Looks at one subscription; undefined: nothing strikes. */
type Look = (subscription: Subscription) => string | undefined;

const LOOKS: readonly (readonly [key: string, look: Look])[] = [
  ['.topic', queueWarning],
  ['.topic', starWarning],
  ['.topic', blankWarning],
  ['', wildcardWarning],
];

/** What is valid in a configuration and surely wrong. */
export function configWarnings({ mqtt, oracle }: Pick<Config, 'mqtt' | 'oracle'>): ConfigWarning[] {
  return [...poolWarnings(oracle), ...subscriptionWarnings(mqtt)];
}

/** What follows from a configuration, is as it should be, and not to be seen in it. */
export function configNotes({ mqtt }: Pick<Config, 'mqtt'>): ConfigWarning[] {
  return mqtt.subscriptions.flatMap((subscription, i) => {
    const message = plcNote(subscription);
    return message === undefined ? [] : [{ path: `mqtt.subscriptions[${i}].plcCode`, message }];
  });
}

/** Whose values those of a payload are that does not say so. */
function plcNote({ format, plcCode, topic }: Subscription): string | undefined {
  if (format !== 'polling') return undefined;
  const without = 'a payload without "plc_code"';
  if (plcCode === '') return `${without} is undecodable: no level of the topic ${quoted(topic)} is taken for it`;
  if (plcCode !== wildcardTemplate(topic)) return undefined;
  return `${without} is of the PLC that level ${plcCode.slice(1, -1)} of its topic names, the first wildcard of ${quoted(topic)}`;
}

/** With fewer connections than that destinations may have to wait for one that hangs. */
function poolWarnings({ destinations, pool }: Pick<Config['oracle'], 'destinations' | 'pool'>): ConfigWarning[] {
  const named = Object.keys(destinations).length;
  if (named === 0 || pool.max >= named + 2) return [];
  const message = `${pool.max} is fewer than one for each of ${named + 1} destinations and one for replays: ${named + 2}`;
  return [{ path: 'oracle.pool.max', message }];
}

function subscriptionWarnings(mqtt: Config['mqtt']): ConfigWarning[] {
  return mqtt.subscriptions.flatMap((subscription, i) =>
    LOOKS.flatMap(([key, look]) => {
      const message = look(subscription);
      return message === undefined ? [] : [{ path: `mqtt.subscriptions[${i}]${key}`, message }];
    }),
  );
}

/** Some brokers of old had it beside `$share`. */
function queueWarning({ topic }: Subscription): string | undefined {
  if (!topic.startsWith('$queue/')) return undefined;
  const filter = topic.slice('$queue/'.length);
  return `$queue/ is no part of MQTT, and most brokers take it for a topic: use ${quoted(`$share/bridges/${filter}`)}`;
}

function starWarning({ topic }: Subscription): string | undefined {
  if (!topic.includes('*')) return undefined;
  const meant = topic
    .split('/')
    .map((level, i, levels) => (level === '*' ? '+' : level === '**' && i === levels.length - 1 ? '#' : level))
    .join('/');
  const hint = meant === topic ? '+ stands for one whole level' : `is ${quoted(meant)} meant?`;
  return `* is a character like any other in MQTT, and ${quoted(topic)} takes in topics with a * only: ${hint}`;
}

function blankWarning({ topic }: Subscription): string | undefined {
  if (!/\s/.test(topic)) return undefined;
  return `${quoted(topic)} has a blank in it, and takes in topics with this blank only: is it meant?`;
}

/** Of many topics each gets the same names: two PLCs end as one. */
function wildcardWarning({ format, plcCode, tagAddress, topic }: Subscription): string | undefined {
  const levels = levelsOf(topic);
  const varying = levels.flatMap((level, i) => (level === '+' || level === '#' ? [i + 1] : []));
  const [first] = varying;
  const templates = [plcCode, tagAddress].filter((template) => template !== '');
  if (first === undefined || templates.length === 0) return undefined;
  const isHash = levels.at(-1) === '#';
  const named = templates.flatMap((template) => [...template.matchAll(/\{(\d+)\}/g)].map(([, n]) => Number(n)));
  if (named.some((n) => varying.includes(n) || (isHash && n > levels.length))) return undefined;
  const key = plcCode === '' ? 'tagAddress' : 'plcCode';
  const why = `is the same text for all topics of ${quoted(topic)}`;
  const hint = `the wildcard is level ${varying.join(' and ')}, such as "{${first}}"`;
  const leading = levels[0] === '' ? '; the part before the first / is level 1' : '';
  return `${key} ${quoted(templates[0]!)} ${why}, so that ${format} values of several PLCs get one name: ${hint}${leading}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
