import convict from 'convict';

import type { Config } from './config.ts';
import { CONFIG_SCHEMA } from './schema/schema.ts';
import { environmentName, type PlacedSetting, type Setting } from './setting.ts';

/*
 * convict holds schema, defaults and merging. It is not let at the environment or the arguments, nor at a value before
 * the kind of its setting has taken it: its own reading is loose ("1.5" becomes 1); see text-layers.ts.
 */

/** convict keeps formats in a table of the process; one that is none of its own has no loose conversion. */
const OF_ITS_KIND = 'ofItsKind';

convict.addFormat({
  name: OF_ITS_KIND,
  validate: (value: unknown, schema: convict.SchemaObj) => {
    const setting = schema as unknown as Setting;
    const problem = setting.kind.check(value, setting)[0];
    if (problem !== undefined) throw new Error(problem.must);
  },
});

/** A new configuration that holds the defaults. */
export function newConvict(): convict.Config<Config> {
  return convict<Config>(convictSchema(CONFIG_SCHEMA) as convict.Schema<Config>, { env: {}, args: [] });
}

function convictSchema(node: object): unknown {
  if (isSetting(node)) return { ...node, format: OF_ITS_KIND };
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, convictSchema(child as object)]));
}

function isSetting(node: object): node is Setting {
  return 'default' in node;
}

/** All keys with their paths, in the order of the schema. */
export const SETTINGS: ReadonlyMap<string, PlacedSetting> = new Map(
  placed(CONFIG_SCHEMA, '').map((setting) => [setting.path, setting]),
);

function placed(node: object, path: string): PlacedSetting[] {
  if (isSetting(node)) return [{ ...node, path, env: environmentName(path) }];
  return Object.entries(node).flatMap(([key, child]) => placed(child as object, path === '' ? key : `${path}.${key}`));
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
