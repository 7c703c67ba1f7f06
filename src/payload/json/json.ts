import type { Given, Problem } from '../../core/fields.ts';
import type { PayloadFormat } from '../format.ts';
import { goodMeanings } from '../value-fields.ts';
import { checkMapping, compileMapping } from './compile.ts';
import { columnHolds } from './compile-row.ts';
import { JsonReader } from './json-reader.ts';
import { mappingSchema } from './mapping-keys.ts';
import type { JsonOptions, MappingPlace } from './mapping.ts';
import { PRESET_NAMES, PRESETS } from './presets.ts';
import { resolveMapping } from './resolve.ts';

/** They read nearly any object. */
const LOOSE_PRESETS: ReadonlySet<string> = new Set(['flat', 'thingsboard', 'umh']);

interface Options {
  readonly json: JsonOptions;
}

/** One message is any JSON document, or several; a mapping says what of it is a row. */
export const json: PayloadFormat<'json', Options> = {
  name: 'json',
  doc: 'any JSON, by a preset or a mapping',
  options: {
    json: {
      doc: 'a preset, such as { "preset": "kepware" }, or a mapping of your own: docs/json.md',
      jsonSchema: mappingSchema(),
      check: (value, beside): readonly Problem[] => checkMapping(value, placeOf(beside)),
    },
  },
  // The presets that say least of what they read come last, and take what the others leave.
  proposals: [
    ...[...PRESET_NAMES]
      .sort((a, b) => Number(LOOSE_PRESETS.has(a)) - Number(LOOSE_PRESETS.has(b)))
      .map((preset) => ({ name: `json, preset ${preset}`, options: { json: { preset } } })),
    ...Object.entries(PRESETS).flatMap(([preset, { namesTopic: topic }]) =>
      topic === undefined ? [] : [{ name: `json, names for preset ${preset}`, options: { json: { preset } }, topic }],
    ),
  ],
  // What a mapping does not name is left out of the names of its rows.
  says: () => ({ plcCode: true, tagAddress: true, timestamp: true }),
  targets: (subscription) =>
    resolveMapping(subscription.json, placeOf({ ...subscription })).rows.map(({ columns = {}, to }) => ({
      to,
      columns: Object.entries(columns).map(([name, source]) => ({ name, holds: columnHolds(source) })),
    })),
  retarget: (subscription, to) => {
    const { rows, ...mapping } = subscription.json;
    const isOwn = rows === undefined;
    return {
      ...subscription,
      json: isOwn ? { ...mapping, to } : { ...mapping, rows: rows.map((row) => ({ ...row, to })) },
    };
  },
  compile: (subscription, scope) => {
    const reader = new JsonReader(compileMapping(subscription.json, placeOf({ ...subscription })), scope);
    return {
      decode: (message, _names, into) => reader.decode(message, into),
      decodeAside: (message, _names, into) => reader.decodeAside(message, into),
    };
  },
};

/** What the other keys of the subscription say; one that is not good is reported at its own place. */
function placeOf(beside: Given): MappingPlace {
  const textAt = (key: string): string => (typeof beside[key] === 'string' ? beside[key] : '');
  return {
    topic: textAt('topic'),
    plcCode: textAt('plcCode'),
    tagAddress: textAt('tagAddress'),
    ...goodMeanings(beside),
  };
}
