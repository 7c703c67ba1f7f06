import { expect, test } from 'vitest';

import { BrokerRotation, type Ending } from '../../../src/mqtt/connection/broker-rotation.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const BACKOFF = { initialDelayMs: 1000, factor: 2, maxDelayMs: 2500, jitter: 0 };

/**
 * Lets attempts end as `endings` say, and time pass between them; gives the delay before and the name of each next one.
 */
async function follow(
  rotation: BrokerRotation,
  clock: FakeClock,
  endings: readonly (Ending | 'in')[],
): Promise<string[]> {
  const turns: string[] = [];
  for (const ending of endings) {
    if (ending === 'in') {
      rotation.succeeded();
      continue;
    }
    const delayMs = rotation.ended(ending);
    await clock.advance(delayMs);
    turns.push(`${delayMs} ${rotation.url}`);
  }
  return turns;
}

test('rounds in the order of the configuration, with growing delays between them', async () => {
  const clock = new FakeClock();
  const rotation = new BrokerRotation(['a', 'b', 'c'], undefined, BACKOFF, clock);
  expect(rotation.url).toBe('a');
  const turns = await follow(
    rotation,
    clock,
    Array.from({ length: 12 }, () => 'failed'),
  );
  expect(turns).toEqual([
    '0 b',
    '0 c',
    '1000 a',
    '0 b',
    '0 c',
    '2000 a',
    '0 b',
    '0 c',
    '2500 a',
    '0 b',
    '0 c',
    '2500 a',
  ]);
});

test('the last that let us in is the first', async () => {
  const clock = new FakeClock();
  expect(new BrokerRotation(['a', 'b'], 'b', BACKOFF, clock).url).toBe('b');
  expect(new BrokerRotation(['a', 'b'], 'gone', BACKOFF, clock).url).toBe('a');
  const rotation = new BrokerRotation(['a', 'b', 'c'], undefined, BACKOFF, clock);
  const turns = await follow(rotation, clock, ['failed', 'in', 'lost', 'failed', 'failed', 'failed']);
  expect(turns).toEqual(['0 b', '1000 b', '0 a', '0 c', '2000 b']);
});

test('a connection that is lost at once is a failure: the next has its turn, and the delays grow', async () => {
  const clock = new FakeClock();
  const rotation = new BrokerRotation(['a', 'b'], undefined, BACKOFF, clock);
  const turns = await follow(rotation, clock, ['in', 'lostSoon', 'in', 'lostSoon', 'in', 'lostSoon', 'in', 'lostSoon']);
  expect(turns).toEqual(['0 b', '1000 b', '0 a', '2000 a']);
  expect(await follow(rotation, clock, ['in', 'lost'])).toEqual(['1000 a']);
});

test('one that refuses us is left out until its own delay is over, and the others go on', async () => {
  const clock = new FakeClock();
  const rotation = new BrokerRotation(['a', 'b'], undefined, BACKOFF, clock);
  const turns = await follow(rotation, clock, ['refused', ...Array.from({ length: 15 }, (): Ending => 'failed')]);
  expect(turns.slice(0, 4)).toEqual(['0 b', '1000 b', '2000 b', '2500 b']);
  expect(turns.filter((turn) => turn.endsWith(' a'))).toEqual(['2500 a']);
  expect(turns.indexOf('2500 a')).toBeGreaterThanOrEqual(12);
});

test('where all refuse us, the first whose delay is over is tried', async () => {
  const clock = new FakeClock();
  const rotation = new BrokerRotation(['a', 'b'], undefined, BACKOFF, clock);
  const turns = await follow(rotation, clock, ['refused', 'refused', 'refused', 'refused']);
  expect(turns).toEqual(['0 b', '30000 a', '1000 b', '59000 a']);
});

test('what a broker says to a connection that stood, another of the cluster would say too', async () => {
  const clock = new FakeClock();
  const rotation = new BrokerRotation(['a', 'b'], undefined, BACKOFF, clock);
  expect(await follow(rotation, clock, ['in', 'unwanted'])).toEqual(['30000 a']);
});
