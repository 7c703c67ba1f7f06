import { gzipSync, deflateSync } from 'node:zlib';

import { levelsOf } from '../../src/core/topic-filter.ts';
import { Random } from '../simulation/random.ts';
import type { FuzzedFormat, FuzzTarget } from './fuzzed-formats.ts';
import { anyBytes, spoil } from './spoil.ts';

/** One message, and who reads it. */
export interface FuzzInput {
  readonly seed: number;
  readonly format: string;
  readonly remembers: boolean;
  readonly target: FuzzTarget;
  readonly topic: string;
  readonly payload: Buffer;
  readonly retained: boolean;
}

interface Prepared {
  readonly name: string;
  readonly format: FuzzedFormat;
  readonly targets: readonly FuzzTarget[];
  readonly examples: readonly Buffer[];
}

const MAX_ANY_BYTES = 60;
const LEVELS = ['PLC01', '', 'a b', 'ä', '0', '{1}', '=1', 'x'.repeat(300)];

/** Makes inputs; the same seed gives the same one. */
export class FuzzInputs {
  readonly #formats: readonly Prepared[];

  constructor(formats: Readonly<Record<string, FuzzedFormat>>) {
    this.#formats = Object.entries(formats).map(([name, format]) => {
      const targets = format.targets();
      return { name, format, targets, examples: targets.flatMap(({ examples }) => examples) };
    });
  }

  next(seed: number): FuzzInput {
    const random = new Random(seed);
    const { name, format, targets, examples } = random.pick(this.#formats);
    const target = random.pick(targets);
    const known = target.topics ?? [target.topic];
    const isKnown = random.chance(target.topics === undefined ? 0.7 : 0.97);
    const topic = isKnown ? random.pick(known) : someTopic(random, target.subscription.topic);
    const payload = compressed(random, somePayload(random, format, target, examples));
    const retained = random.chance(0.1);
    return { seed, format: name, remembers: format.remembers === true, target, topic, payload, retained };
  }

  /** The hostile payloads, which are the same for every seed. */
  hostile(): (FuzzInput & { readonly what: string })[] {
    return this.#formats.flatMap(({ name, format }) =>
      format.hostile().map(({ what, target, topic = target.topic, payload }) => {
        const remembers = format.remembers === true;
        const said = `${name}: ${what}`;
        return { seed: 0, what: said, format: name, remembers, target, topic, payload, retained: false };
      }),
    );
  }
}

function somePayload(random: Random, format: FuzzedFormat, target: FuzzTarget, all: readonly Buffer[]): Buffer {
  const kind = random.next();
  const others = all.length === 0 ? [Buffer.alloc(0)] : all;
  if (kind < 0.05) return anyBytes(random, MAX_ANY_BYTES);
  if (kind < 0.35) return format.madeUp(random);
  if (kind < 0.45) return spoil(random, format.madeUp(random), random.pick(others));
  const own = random.chance(0.8) && target.examples.length > 0 ? target.examples : others;
  const example = random.pick(own);
  return kind < 0.5 ? example : spoil(random, example, random.pick(others));
}

function compressed(random: Random, payload: Buffer): Buffer {
  if (!random.chance(0.06)) return payload;
  const body = random.chance(0.5) ? gzipSync(payload, { level: 1 }) : deflateSync(payload, { level: 1 });
  return random.chance(0.3) ? spoil(random, body, payload) : body;
}

/** One that the filter takes in. */
function someTopic(random: Random, filter: string): string {
  const levels = levelsOf(filter).flatMap((level) => {
    if (level === '+') return [random.pick(LEVELS)];
    return level === '#' ? Array.from({ length: random.int(0, 4) }, () => random.pick(LEVELS)) : [level];
  });
  return levels.join('/');
}
