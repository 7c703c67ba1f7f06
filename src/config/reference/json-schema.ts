import type { JsonSchema } from '../../core/fields.ts';
import { SECTIONS, SETTINGS } from '../convict.ts';
import type { PlacedSetting } from '../setting.ts';

/** The JSON Schema of a configuration file, for editors: `"$schema": "./bridge.schema.json"`. */
export function configJsonSchema(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'mqtt-oracle-bridge configuration',
    allowComments: true,
    ...section(''),
  };
  return `${JSON.stringify(schema, null, 2).replaceAll(/\[[^[\]{}]+\]/g, onOneLine)}\n`;
}

function section(path: string): JsonSchema {
  const keys = SECTIONS.get(path) ?? [];
  const properties = keys.map((key) => [key, node(path === '' ? key : `${path}.${key}`)] as const);
  const editorKey = path === '' ? [['$schema', { type: 'string' }] as const] : [];
  const others = [...SETTINGS.values()].find(({ within }) => within === path);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries([...editorKey, ...properties]),
    ...(others !== undefined && { patternProperties: { '.': entrySchema(others) } }),
  };
}

/** What an entry of a setting may be that stands in a section of its own. */
function entrySchema(setting: PlacedSetting): unknown {
  return { description: setting.doc, ...(setting.kind.jsonSchema(setting)['additionalProperties'] as JsonSchema) };
}

function node(path: string): JsonSchema {
  const setting = SETTINGS.get(path);
  if (setting === undefined) return section(path);
  const { appliedOnReload, doc, kind, default: value } = setting;
  const description = appliedOnReload === true ? `${doc} Applied on reload.` : doc;
  return { description, ...kind.jsonSchema(setting), default: value };
}

const COLUMNS = 120;

/** Lists that are short enough for a line, as the formatter wants them. */
function onOneLine(list: string, offset: number, text: string): string {
  const joined = list
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace('[ ', '[')
    .replace(' ]', ']');
  const column = offset - text.lastIndexOf('\n', offset) - 1;
  return column + joined.length < COLUMNS ? joined : list;
}
