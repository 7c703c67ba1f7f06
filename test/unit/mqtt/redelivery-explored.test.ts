import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EXEMPLARY, type BrokerManners } from '../../simulation/manners.ts';
import { RedeliveryModel, UNTIMED, type ModelManners, type ModelStep } from './redelivery-model.ts';

const count = fc.integer({ min: 1, max: 6 });

const MANNERS: fc.Arbitrary<ModelManners> = fc
  .record({
    ids: fc.constantFrom('count up', 'lowest free', 'from 1 each connection'),
    duplicates: fc.constantFrom('right', 'never', 'always'),
    renumbers: fc.boolean(),
    shuffles: fc.boolean(),
    repeats: fc.boolean(),
    forgets: fc.boolean(),
    overwrites: fc.boolean(),
  })
  // What goes together is told in test/simulation/manners.ts.
  .map(({ duplicates, forgets, ids, overwrites, renumbers, repeats, shuffles }) => ({
    ids,
    duplicates,
    renumbers,
    renumbersExact: false,
    shuffles,
    repeats: repeats && duplicates !== 'never',
    leaks: false,
    forgets: forgets && ids === 'count up',
    overwrites: overwrites && ids === 'from 1 each connection' && duplicates === 'right' && !renumbers,
  }));

const STEPS: fc.Arbitrary<ModelStep[]> = fc.array(
  fc.oneof(
    {
      weight: 150,
      arbitrary: fc.record({ do: fc.constant('publish' as const), payload: fc.constantFrom(UNTIMED, 'timed') }),
    },
    {
      weight: 320,
      arbitrary: fc.record({ do: fc.constantFrom('send', 'receive', 'commit', 'carry answers'), count }),
    },
    { weight: 100, arbitrary: fc.record({ do: fc.constantFrom('ping', 'ping', 'ping', 'repeat', 'checkpoint') }) },
    { weight: 15, arbitrary: fc.record({ do: fc.constantFrom('reconnect', 'kill') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lose session' as const) }) },
  ),
  { minLength: 100, maxLength: 300, size: 'max' },
);

const OPTIONS = { maxPacketId: 1_000, maxInFlight: 2, window: 50, maxPayloadBytes: 40 };

/** A calm hour with one break in it, in which the bridge gets to know the broker. */
const CALM: readonly ModelStep[] = Array.from({ length: 24 }, (_, i): ModelStep[] => {
  const moved = (['send', 'receive', 'commit', 'carry answers'] as const).map((each) => ({ do: each, count: 9 }));
  const breaks: readonly ModelStep[] = i === 12 ? [{ do: 'reconnect' }] : [];
  return [
    { do: 'publish', payload: `at ${i} of the calm` },
    ...moved,
    { do: 'ping' },
    ...moved,
    { do: 'checkpoint' },
    ...breaks,
  ];
}).flat();

interface Explored {
  repeated: number;
  doubts: number;
  /** Messages without a time that were stored twice. */
  doubled: number;
}

interface Exploration {
  readonly manners: fc.Arbitrary<ModelManners>;
  readonly isCalmAtFirst: fc.Arbitrary<boolean>;
  readonly steps: fc.Arbitrary<ModelStep[]>;
}

/** What happened over many runs; the property itself is checked in each. */
function explore({ manners, isCalmAtFirst, steps }: Exploration): Explored {
  const explored = { repeated: 0, doubts: 0, doubled: 0 };
  fc.assert(
    fc.property(manners, isCalmAtFirst, steps, (drawn, isCalm, drawnSteps) => {
      const model = new RedeliveryModel({ ...OPTIONS, manners: drawn });
      if (isCalm) for (const step of CALM) model.run(step);
      // A message with a time is another one than all before.
      for (const [i, step] of drawnSteps.entries()) {
        model.run(step.do === 'publish' && step.payload === 'timed' ? { ...step, payload: `at ${i}` } : step);
      }
      const stored = model.finish();
      for (const [payload, owed] of model.owed) {
        const times = stored.get(payload) ?? 0;
        expect(times).toBeGreaterThanOrEqual(owed);
        expect(times).toBeLessThanOrEqual(payload === UNTIMED ? Number.POSITIVE_INFINITY : 1);
      }
      expect([...model.doubts.keys()].filter((payload) => payload !== UNTIMED)).toEqual([]);
      const doubled = (stored.get(UNTIMED) ?? 0) - (model.owed.get(UNTIMED) ?? 0);
      const mayBeUncounted = drawnSteps.some((step) => step.do === 'lose session');
      // Each message that is there twice is one that was counted.
      const counted = mayBeUncounted ? Number.POSITIVE_INFINITY : (model.doubts.get(UNTIMED) ?? 0);
      expect(doubled).toBeLessThanOrEqual(counted);
      explored.repeated += model.repeated;
      explored.doubts += model.doubts.get(UNTIMED) ?? 0;
      explored.doubled += doubled;
    }),
    { numRuns: 200 },
  );
  return explored;
}

describe('a broker and a bridge that lose each other at any moment', () => {
  it('lose nothing and double nothing that has a time, whatever the manners of the broker', () => {
    const explored = explore({ manners: MANNERS, isCalmAtFirst: fc.boolean(), steps: STEPS });
    expect(explored.repeated).toBeGreaterThan(300);
    expect(explored.doubts).toBeGreaterThan(100);
  }, 60_000);

  it('lose nothing that had come where a new message takes the packet id of one that is waited for', () => {
    const manners = { ...EXEMPLARY, ids: 'from 1 each connection', overwrites: true } as const;
    const explored = explore({ manners: fc.constant(manners), isCalmAtFirst: fc.boolean(), steps: STEPS });
    expect(explored.repeated).toBeGreaterThan(100);
  }, 60_000);

  it('double nothing without a time either, once the broker is known to count its packet ids up', () => {
    const steps = STEPS.map((all) => all.filter((step) => step.do !== 'lose session'));
    const of = (manners: BrokerManners): Explored =>
      explore({ manners: fc.constant({ ...manners, overwrites: false }), isCalmAtFirst: fc.constant(true), steps });
    expect(of(EXEMPLARY).doubled).toBe(0);
    expect(of({ ...EXEMPLARY, ids: 'lowest free' }).doubled).toBeGreaterThan(0);
  }, 60_000);
});
