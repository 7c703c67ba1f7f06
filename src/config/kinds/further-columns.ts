import { COLUMNS, isColumnKey } from '../../core/columns.ts';
import { isGiven, type Problem } from '../../core/fields.ts';
import { FURTHER_CONTENT, parseFurtherContent } from '../../core/further-columns.ts';
import { parseName } from '../../core/identifier.ts';
import { suggestion } from '../../core/suggestion.ts';
import { parseJson } from '../json-reader.ts';
import type { SettingKind } from '../setting.ts';

const KEYS = COLUMNS.map(({ key }) => key);

/** Further columns of a table: an object of their names and what they hold. */
export const furtherColumns: SettingKind = {
  allowed: () => 'names of columns and what they hold; in the environment as JSON text',
  check: (value) =>
    isGiven(value)
      ? Object.entries(value).flatMap(([name, content]) => furtherColumnProblems(name, content))
      : [{ must: `must be an object of names of columns, such as { "source": "'gateway-01'" }`, got: value }],
  parse: parseJson,
  jsonSchema: () => ({ type: 'object', additionalProperties: { type: 'string' } }),
};

/**
 * What is wrong with a key of the columns of a table that is none of those that it has, and with what it says. A name
 * near one of these is most likely that one, misspelt, unless what it says is good.
 */
export function furtherColumnProblems(name: string, content: unknown): Problem[] {
  const at = `.${name}`;
  const near = suggestion(name, KEYS);
  if (isColumnKey(name)) return [{ at, must: 'must stand in oracle.columns: it is a key of it' }];
  if (parseName(name, 1) === undefined) return [{ at, must: `is neither a known key${near} nor the name of a column` }];
  if (content === '') return [];
  const must = typeof content === 'string' ? parseFurtherContent(content) : `must be ${FURTHER_CONTENT}`;
  if (typeof must !== 'string') return [];
  const what = near === '' ? must : `is not a known key${near}; as a column of its own it ${must}`;
  return [{ at, must: what, got: content }];
}
