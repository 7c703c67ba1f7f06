import { ConfigError, systemErrorCode } from '../core/errors.ts';
import { isGiven } from '../core/fields.ts';
import { ConfigFileError } from './config-errors.ts';
import { SECTIONS, SETTINGS } from './convict.ts';
import { JsonSyntaxError, parseJson } from './json-reader.ts';
import { errorAt, type Layer, newLayer } from './layers.ts';
import { suggestion } from '../core/suggestion.ts';

/** Reads a text file whole; throws Node's system errors. */
export type ReadFile = (path: string) => string;

/** Names the schema to an editor; says nothing to the bridge. */
const SCHEMA_KEY = '$schema';

/** Sections that take keys beside those that they have, and the setting that these are entries of. */
const FURTHER: ReadonlyMap<string, string> = new Map(
  [...SETTINGS.values()].flatMap(({ path, within }): [string, string][] =>
    within === undefined ? [] : [[within, path]],
  ),
);

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  EISDIR: 'it is a directory',
};

/** Why a file could not be read, for a person. */
export function readFailure(thrown: unknown): string {
  const code = systemErrorCode(thrown) ?? 'unknown reason';
  return READ_FAILURES[code] ?? code;
}

/**
 * The settings in a file. What is wrong with its syntax or shape is in `errors`; they name the file unless it is the
 * only one. Throws ConfigFileError when it can't be read.
 */
export function readFileLayer(file: string, readFile: ReadFile, isOnlyFile: boolean): Layer {
  const layer = newLayer();
  let text: string;
  try {
    text = readFile(file);
  } catch (thrown) {
    throw new ConfigFileError(file, `configuration file ${file}: ${readFailure(thrown)}`, thrown);
  }
  try {
    collect(layer, parseJson(text), '', isOnlyFile ? undefined : file);
  } catch (thrown) {
    if (!(thrown instanceof JsonSyntaxError)) throw thrown;
    layer.errors.push(new ConfigError(`${file}:${thrown.line}:${thrown.column}`, thrown.message));
    for (const path of SETTINGS.keys()) layer.unknown.add(path);
  }
  return layer;
}

/** Never shows a value: a secret under a misspelt key is still a secret. */
function collect(layer: Layer, node: unknown, section: string, origin: string | undefined): void {
  const prefix = section === '' ? '' : `${section}.`;
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    layer.errors.push(errorAt(section || 'configuration', 'must be an object, in { and }', origin));
    for (const path of SETTINGS.keys()) if (path.startsWith(prefix)) layer.unknown.add(path);
    return;
  }
  const known = SECTIONS.get(section) ?? [];
  for (const [key, value] of Object.entries(node)) {
    const path = prefix + key;
    if (path === SCHEMA_KEY) continue;
    const further = known.includes(key) ? undefined : FURTHER.get(section);
    if (further !== undefined) {
      const others = layer.values.get(further);
      layer.values.set(further, { ...(isGiven(others) ? others : {}), [key]: value });
      if (origin !== undefined) layer.origins.set(further, origin);
    } else if (!known.includes(key)) {
      layer.errors.push(errorAt(printableKey(path), `is not a known key${hint(key, known)}`, origin));
    } else if (SETTINGS.has(path)) {
      const others = layer.values.get(path);
      layer.values.set(path, isGiven(others) && isGiven(value) ? { ...others, ...value } : value);
      if (origin !== undefined) layer.origins.set(path, origin);
    } else {
      collect(layer, value, path, origin);
    }
  }
}

function printableKey(path: string): string {
  return path.replaceAll(/\p{Cc}/gu, '?').slice(0, 200);
}

/** A near name in this section, or the same name in another. */
function hint(key: string, known: readonly string[]): string {
  if (SETTINGS.has(key) && key.includes('.')) return ': sections are nested, "mqtt": { "url": ... }';
  const near = suggestion(key, known);
  if (near !== '') return near;
  const elsewhere = [...SETTINGS.keys(), ...SECTIONS.keys()].find((path) => path === key || path.endsWith(`.${key}`));
  return elsewhere === undefined || key === '' ? '' : ` here (did you mean "${elsewhere}"?)`;
}
