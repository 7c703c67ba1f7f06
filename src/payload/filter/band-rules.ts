import type { Tag } from '../../core/tag-values.ts';
import { compilePattern } from '../patterns.ts';
import type { FilterOptions, TagFilter } from './filter-options.ts';

/** When a value of a tag is let through. */
export interface BandRule {
  readonly absolute: number;
  /** Of the last value: 0.02 is 2 percent. */
  readonly part: number;
  /** Infinity: however long. */
  readonly maxSilenceMs: number;
}

/** Gives the rule of a tag; undefined: all its values are let through. */
export type RuleOf = (tag: Tag) => BandRule | undefined;

/** Undefined where all values of all tags are let through. */
export function compileRules(options: FilterOptions): RuleOf | undefined {
  const { deadband, maxSilenceSeconds = 0, tags = [] } = options;
  const general = ruleOf({ match: '*', maxSilenceSeconds, ...(deadband !== undefined && { deadband }) });
  const particular = tags.map((each) => ({
    matches: compilePattern(each.match),
    rule: ruleOf({ maxSilenceSeconds, ...(deadband !== undefined && { deadband }), ...each }),
  }));
  if ([general, ...particular.map(({ rule }) => rule)].every((rule) => rule === undefined)) return undefined;
  return ({ name }) => {
    const found = particular.find(({ matches }) => matches(name));
    return found === undefined ? general : found.rule;
  };
}

function ruleOf({ deadband, maxSilenceSeconds = 0 }: TagFilter): BandRule | undefined {
  if (deadband === undefined || deadband === 'off') return undefined;
  return {
    absolute: deadband.absolute ?? 0,
    part: (deadband.percent ?? 0) / 100,
    maxSilenceMs: maxSilenceSeconds > 0 ? maxSilenceSeconds * 1000 : Number.POSITIVE_INFINITY,
  };
}
