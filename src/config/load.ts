import { readFileSync } from 'node:fs';

import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { ConfigError } from '../core/errors.ts';
import { isGiven, type Problem } from '../core/fields.ts';
import { ConfigErrors } from './config-errors.ts';
import type { Config } from './config.ts';
import { newConvict, SETTINGS } from './convict.ts';
import { CROSS_CHECKS, RUN_CHECKS } from './cross-checks.ts';
import { type ReadFile, readFileLayer } from './file-layer.ts';
import { fillDestinations } from './kinds/destinations-kind.ts';
import { fillSubscription } from './kinds/subscription-fields.ts';
import { errorAt, type Layer } from './layers.ts';
import { preview } from './preview.ts';
import { fieldsByDestination } from './row-targets.ts';
import type { PlacedSetting } from './setting.ts';
import { readEnvironmentLayer, readFlagLayer } from './text-layers.ts';

/**
 * How much of the configuration must be there: all that the bridge needs to run, or only what is given, which must be
 * right, with defaults for the rest.
 */
export type ConfigNeed = 'run' | 'any';

export interface ConfigSources {
  /** A later file wins, key by key; a list is replaced whole. */
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Texts by path, which win over all else. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly readFile?: ReadFile;
  /** `run` unless said. */
  readonly need?: ConfigNeed;
}

/**
 * The configuration from default < files in order < environment < flags, checked, complete and frozen.
 * Throws ConfigErrors with everything that is wrong, and ConfigFileError for a file that can't be read.
 */
export function loadConfig(sources: ConfigSources): Config {
  const readFile = sources.readFile ?? ((file: string): string => readFileSync(file, 'utf8'));
  const layers = [
    ...sources.files.map((file) => readFileLayer(file, readFile, sources.files.length === 1)),
    readEnvironmentLayer(sources.env, readFile),
    readFlagLayer(sources.flags ?? {}),
  ];
  const errors: ConfigError[] = layers.flatMap((layer) => layer.errors);
  const bad = new Set(layers.flatMap((layer) => [...layer.unknown]));
  const originOf = (path: string): string | undefined =>
    layers.findLast((layer) => layer.values.has(path))?.origins.get(path);

  const convict = newConvict();
  for (const setting of SETTINGS.values()) {
    const { path } = setting;
    const value = valueIn(layers, setting);
    if (value === undefined || bad.has(path)) continue;
    const problems = problemsOf(value, setting);
    errors.push(...problems.map((problem) => describe(problem, setting, originOf(path))));
    if (problems.length === 0) convict.set(path, setting.kind.complete?.(value) ?? value);
    else bad.add(path);
  }

  const config = complete(convict.getProperties(), sources.env['TNS_ADMIN'] ?? '');
  for (const rule of sources.need === 'any' ? CROSS_CHECKS : [...CROSS_CHECKS, ...RUN_CHECKS]) {
    if (rule.keys.some((key) => bad.has(key))) continue;
    const problem = rule.check(config);
    if (problem !== undefined) errors.push(errorAt(rule.keys[0], problem, originOf(rule.keys[0])));
  }
  if (errors.length > 0) throw new ConfigErrors(errors);
  convict.validate({ allowed: 'strict' });
  return freeze(config);
}

/** The last layer's that has one; of entries that stand in a section of their own, the last one's of each. */
function valueIn(layers: readonly Layer[], { path, within }: PlacedSetting): unknown {
  const values = layers.flatMap(({ values: of }) => (of.has(path) ? [of.get(path)] : []));
  return within !== undefined && values.every(isGiven) && values.length > 0
    ? Object.assign({}, ...values)
    : values.at(-1);
}

/** What reading made of bytes that are no UTF-8. The server would only call such a password a wrong one. */
const UNREADABLE = '\uFFFD';

/** What is wrong with the value of a setting; empty for a good one. */
export function problemsOf(value: unknown, setting: PlacedSetting): Problem[] {
  if (setting.sensitive === true && typeof value === 'string' && value.includes(UNREADABLE)) {
    return [{ must: 'must be in UTF-8: a letter in it is in another encoding, such as Latin-1' }];
  }
  return setting.kind.check(value, setting);
}

function describe(problem: Problem, setting: PlacedSetting, origin: string | undefined): ConfigError {
  const shown = problem.got !== undefined && setting.sensitive !== true ? `, not ${preview(problem.got)}` : '';
  return errorAt((setting.within ?? setting.path) + (problem.at ?? ''), problem.must + shown, origin);
}

/** Fills in what follows from other keys. */
function complete(given: Config, tnsAdmin: string): Config {
  const { bridge, mqtt, notices, oracle } = given;
  const subscriptions = mqtt.subscriptions.map(fillSubscription);
  const fields = fieldsByDestination(subscriptions);
  return {
    ...given,
    oracle: {
      ...oracle,
      destinations: fillDestinations(oracle.destinations),
      columns: { ...oracle.columns, ...oracle.furtherColumns },
      fields: fields.get(DEFAULT_DESTINATION) ?? [],
      destinationFields: Object.fromEntries([...fields].filter(([name]) => name !== DEFAULT_DESTINATION)),
      tnsAdmin: oracle.tnsAdmin === '' ? tnsAdmin : oracle.tnsAdmin,
    },
    mqtt: { ...mqtt, clientId: mqtt.clientId === '' ? bridge.id : mqtt.clientId, subscriptions },
    notices: { ...notices, baseTopic: notices.baseTopic.replaceAll('{id}', bridge.id) },
  };
}

/** Freezes it all the way down. */
export function freeze<T>(node: T): T {
  if (typeof node === 'object' && node !== null) {
    for (const child of Object.values(node)) freeze(child);
    Object.freeze(node);
  }
  return node;
}
