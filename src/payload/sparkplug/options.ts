import {
  completed,
  fieldsJsonSchema,
  objectProblems,
  unless,
  type Field,
  type Fields,
  type Problem,
} from '../../core/fields.ts';
import type { QualityScale } from './quality.ts';

/** Whose time the rows have. What is missing there is taken from the next one. */
export type TimeSource = 'metric' | 'payload' | 'receipt';

export interface SparkplugOptions {
  readonly hostId: string;
  readonly rebirth: boolean;
  readonly reorderTimeoutMs: number;
  readonly staleRows: boolean;
  readonly timestamp: TimeSource;
  readonly quality: QualityScale;
}

/** What a subscription of this format has for itself. */
export interface SparkplugSubscription {
  readonly sparkplug: SparkplugOptions;
}

const MAX_REORDER_TIMEOUT_MS = 600_000;
const HOST_ID = /^[^/+#\p{Cc}]{1,200}$/u;
const TIME_SOURCES: readonly TimeSource[] = ['metric', 'payload', 'receipt'];
const SCALES: readonly QualityScale[] = ['sparkplug', 'ignition'];

const yesNo = (doc: string, value: boolean): Field<boolean> => ({
  doc,
  jsonSchema: { type: 'boolean' },
  default: value,
  check: (given) => unless(typeof given === 'boolean', 'must be true or false', given),
});

function oneOf<T extends string>(doc: string, choices: readonly T[]): Field<T> {
  const must = `must be ${choices.map((each) => JSON.stringify(each)).join(' or ')}`;
  return {
    doc,
    jsonSchema: { enum: choices },
    default: choices[0]!,
    check: (given) =>
      unless(
        choices.some((each) => each === given),
        must,
        given,
      ),
  };
}

const FIELDS: Fields<SparkplugOptions> = {
  hostId: {
    doc: 'id of this host application, on whose STATE edge nodes may wait; empty: bridge.id',
    jsonSchema: { type: 'string' },
    default: '',
    check: (given) =>
      unless(
        typeof given === 'string' && (given === '' || HOST_ID.test(given)),
        'must be text without /, + and #',
        given,
      ),
  },
  rebirth: yesNo('whether edge nodes are asked for their births where these are missing', true),
  reorderTimeoutMs: {
    doc: 'so long a message that is missing by its sequence number may be late before births are asked for',
    jsonSchema: { type: 'integer', minimum: 0, maximum: MAX_REORDER_TIMEOUT_MS },
    default: 5000,
    check: (given): Problem[] => {
      const isGood = Number.isSafeInteger(given) && Number(given) >= 0 && Number(given) <= MAX_REORDER_TIMEOUT_MS;
      return unless(isGood, `must be an integer from 0 to ${MAX_REORDER_TIMEOUT_MS}`, given);
    },
  },
  staleRows: yesNo('whether the death of a node or device makes a row of quality STALE for each of its metrics', false),
  timestamp: oneOf('whose time the rows have', TIME_SOURCES),
  quality: oneOf('how the numbers of Quality are read: 0 is bad by Sparkplug, good for Ignition', SCALES),
};

const EXAMPLE = '{ "hostId": "plant-host" }';

/** The key `sparkplug` of a subscription. */
export const SPARKPLUG_FIELDS: Fields<SparkplugSubscription> = {
  sparkplug: {
    doc: Object.entries<Field>(FIELDS as Readonly<Record<string, Field>>)
      .map(([name, { doc }]) => `${name}: ${doc}`)
      .join('; '),
    jsonSchema: fieldsJsonSchema(FIELDS),
    default: completed(FIELDS, {}),
    check: (value) => objectProblems(FIELDS, value, EXAMPLE),
    complete: (value) => completed(FIELDS, value),
  },
};

/** The id of the host application that the subscriptions make of the bridge; undefined: none is of this format. */
export function sparkplugHostId(
  subscriptions: readonly { readonly format: string }[],
  bridgeId: string,
): string | undefined {
  const own = subscriptions.filter(({ format }) => format === 'sparkplugB') as unknown as SparkplugSubscription[];
  if (own.length === 0) return undefined;
  return own.find(({ sparkplug }) => sparkplug.hostId !== '')?.sparkplug.hostId ?? bridgeId;
}
