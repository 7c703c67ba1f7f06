import convict from 'convict';

import type { Config } from './config.ts';
import type { Format } from './formats/format.ts';
import { FORMATS } from './formats/formats.ts';
import { CONFIG_SCHEMA } from './schema/schema.ts';
import { environmentName, type PlacedSetting, type Setting } from './setting.ts';

/*
 * convict keeps formats in a table of the process: this is the one module that fills it. It holds schema, defaults and
 * merging. It is not let at the environment or the arguments: its own reading of them is loose ("1.5" becomes 1); see
 * text-layers.ts.
 */

for (const [name, format] of Object.entries(FORMATS)) convict.addFormat({ name, validate: validatorOf(format) });

function validatorOf(format: Format): (value: unknown, setting: convict.SchemaObj) => void {
  return (value, setting) => {
    const problem = format.check(value, setting as unknown as Setting)[0];
    if (problem !== undefined) throw new Error(problem.must);
  };
}

/** A new configuration that holds the defaults. */
export function newConvict(): convict.Config<Config> {
  return convict<Config>(withEnvironmentNames(CONFIG_SCHEMA, '') as convict.Schema<Config>, { env: {}, args: [] });
}

function withEnvironmentNames(node: object, path: string): unknown {
  if (isSetting(node)) return { ...node, env: environmentName(path) };
  return Object.fromEntries(
    Object.entries(node).map(([key, child]) => [
      key,
      withEnvironmentNames(child as object, path === '' ? key : `${path}.${key}`),
    ]),
  );
}

function isSetting(node: object): node is Setting {
  return 'default' in node;
}

interface SchemaNode {
  readonly _cvtProperties?: Readonly<Record<string, SchemaNode>>;
}

/** All keys with their paths, in the order of the schema. */
export const SETTINGS: ReadonlyMap<string, PlacedSetting> = new Map(
  placed(newConvict().getSchema() as SchemaNode, '').map((setting) => [setting.path, setting]),
);

function placed(node: SchemaNode, path: string): PlacedSetting[] {
  const children = node._cvtProperties;
  if (children === undefined) return [{ ...(node as unknown as Setting & { env: string }), path }];
  return Object.entries(children).flatMap(([key, child]) => placed(child, path === '' ? key : `${path}.${key}`));
}

/** Paths of the sections, `''` for the whole, with the keys in each. */
export const SECTIONS: ReadonlyMap<string, readonly string[]> = sectionsOf([...SETTINGS.keys()]);

function sectionsOf(paths: readonly string[]): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  for (const path of paths) {
    const keys = path.split('.');
    for (const [depth, key] of keys.entries()) {
      const section = keys.slice(0, depth).join('.');
      const known = sections.get(section) ?? [];
      if (!known.includes(key)) known.push(key);
      sections.set(section, known);
    }
  }
  return sections;
}
