import { ConfigError } from '../core/errors.ts';
import { ConfigErrors } from './config-errors.ts';
import type { Config, Subscription } from './config.ts';
import { SETTINGS } from './convict.ts';
import { CROSS_CHECKS, RUN_CHECKS } from './cross-checks.ts';
import { freeze } from './load.ts';
import { preview } from './preview.ts';

/** What becomes of a configuration that is read again while the bridge runs. */
export interface ReloadPlan {
  /** The running configuration with what is applied: what the bridge goes on with. */
  readonly config: Config;
  /** Key → `old → new`, for the log. */
  readonly applied: Readonly<Record<string, string>>;
  /** Keys that differ, too, and keep their value until a restart. Their values, which may be secrets, are not told. */
  readonly needRestart: readonly string[];
}

/**
 * Divides what differs between two good configurations by the `appliedOnReload` of each key. Throws ConfigErrors when
 * the values that would be applied do not go together with those that are kept.
 */
export function planReload(running: Config, wanted: Config): ReloadPlan {
  const config = structuredClone(running);
  const applied: Record<string, string> = {};
  const needRestart: string[] = [];
  for (const { path, appliedOnReload, sensitive } of SETTINGS.values()) {
    const [from, to] = [valueAt(running, path), valueAt(wanted, path)];
    if (isSame(from, to)) continue;
    if (appliedOnReload === true) {
      setAt(config, path, to);
      applied[path] = sensitive === true ? 'changed' : describe(from, to);
    } else {
      needRestart.push(path);
    }
  }
  const errors = contradictions(config, needRestart);
  if (errors.length > 0) throw new ConfigErrors(errors);
  return { config: freeze(config), applied, needRestart };
}

/** The configuration with other values for some of its settings, by path. */
export function withSettings(running: Config, values: ReadonlyMap<string, unknown>): Config {
  const config = structuredClone(running);
  for (const [path, value] of values) setAt(config, path, value);
  return freeze(config);
}

/**
 * Each of the two configurations is good in itself, so whatever is wrong with the mixture is owed to a key that was
 * kept.
 */
function contradictions(mixed: Config, kept: readonly string[]): ConfigError[] {
  return [...CROSS_CHECKS, ...RUN_CHECKS].flatMap((rule) => {
    const problem = rule.check(mixed);
    if (problem === undefined) return [];
    const why = rule.keys.filter((key) => kept.includes(key)).join(' and ');
    const restart = why === '' ? 'that needs a restart' : `${why} would need a restart`;
    return [new ConfigError(rule.keys[0], `${problem}; ${restart}`)];
  });
}

function valueAt(config: Config, path: string): unknown {
  return path.split('.').reduce<unknown>((node, key) => (node as Readonly<Record<string, unknown>>)[key], config);
}

function setAt(config: Config, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const section = keys.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], config);
  (section as Record<string, unknown>)[last] = structuredClone(value);
}

/** Values come from JSON, and `complete` gives the fields of a subscription their order. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function describe(from: unknown, to: unknown): string {
  if (Array.isArray(from) && Array.isArray(to)) {
    return describeSubscriptions(from as Subscription[], to as Subscription[]);
  }
  return `${preview(from)} → ${preview(to)}`;
}

/** By topic: whole lists would hide what is different. */
function describeSubscriptions(from: readonly Subscription[], to: readonly Subscription[]): string {
  const before = new Map(from.map((each) => [each.topic, each]));
  const after = new Map(to.map((each) => [each.topic, each]));
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['added', [...after.keys()].filter((topic) => !before.has(topic))],
    ['removed', [...before.keys()].filter((topic) => !after.has(topic))],
    ['changed', [...after].filter(([topic, each]) => isChanged(before.get(topic), each)).map(([topic]) => topic)],
  ];
  const texts = parts.filter(([, topics]) => topics.length > 0).map(([what, topics]) => `${what} ${topics.join(', ')}`);
  return texts.length === 0 ? 'in another order' : texts.join('; ');
}

function isChanged(before: Subscription | undefined, after: Subscription): boolean {
  return before !== undefined && !isSame(before, after);
}
