import { isGiven, type JsonSchema, type Problem } from '../../core/fields.ts';
import { readWithUnit, unitOfKey, unitPattern, unitsAllowed, withUnit, type KeyUnit } from '../units.ts';

/*
 * The keys inside of a subscription that are a size or a time: there, too, a text with a unit may stand in the place of
 * the number. The payload formats, which check them, see the number only.
 */

/** `*` is each item of a list. `example` stands in errors. */
const MEASURED: readonly { readonly path: readonly string[]; readonly example: number }[] = [
  { path: ['maxSilenceSeconds'], example: 600 },
  { path: ['tags', '*', 'maxSilenceSeconds'], example: 600 },
  { path: ['sparkplug', 'reorderTimeoutMs'], example: 5000 },
  { path: ['json', 'maxInflatedBytes'], example: 16_777_216 },
];

/** A subscription with its texts with a unit as numbers; what is no such text is left as it is. */
export function readMeasured(subscription: unknown): unknown {
  return MEASURED.reduce((node, { path }) => changedAt(node, path, readValue(unitAt(path))), subscription);
}

/** Adds to what is said of such a key, where a text stands, which texts may. */
export function withUnitsAllowed(problem: Problem): Problem {
  const place = (problem.at ?? '').replaceAll(/\[\d+\]/g, '.*');
  const measured = MEASURED.find(({ path }) => place === `.*.${path.join('.')}`);
  if (measured === undefined || typeof problem.got !== 'string') return problem;
  const unit = unitAt(measured.path);
  return { ...problem, must: `${problem.must}, or ${unitsAllowed(unit, withUnit(measured.example, unit))}` };
}

/** The schema of a subscription with these texts in it. */
export function measuredSchema(schema: JsonSchema): JsonSchema {
  return MEASURED.reduce<JsonSchema>((node, { path }) => {
    const inSchema = path.flatMap((key) => (key === '*' ? ['items'] : ['properties', key]));
    const pattern = unitPattern(unitAt(path));
    return changedAt(node, inSchema, (given) => withText(given as JsonSchema, pattern)) as JsonSchema;
  }, schema);
}

function unitAt(path: readonly string[]): KeyUnit {
  return unitOfKey(path.at(-1)!)!;
}

function readValue(unit: KeyUnit): (value: unknown) => unknown {
  return (value) => (typeof value === 'string' ? (readWithUnit(value, unit) ?? value) : value);
}

function withText({ default: byDefault, description, ...number }: JsonSchema, pattern: string): JsonSchema {
  return {
    ...(description === undefined ? {} : { description }),
    anyOf: [number, { type: 'string', pattern }],
    ...(byDefault === undefined ? {} : { default: byDefault }),
  };
}

/** The same tree but for what stands at a path; where the path does not lead to anything, the same. */
function changedAt(node: unknown, path: readonly string[], change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(node);
  if (key === '*') return Array.isArray(node) ? node.map((item) => changedAt(item, rest, change)) : node;
  if (!isGiven(node) || !Object.hasOwn(node, key)) return node;
  return { ...node, [key]: changedAt(node[key], rest, change) };
}
