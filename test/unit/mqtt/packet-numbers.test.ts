import { createRequire } from 'node:module';

import { writeToStream } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';

import '../../../src/mqtt/connection/attempt.ts';

const require = createRequire(import.meta.url);

describe('the client’s packets', () => {
  it('are written without a Buffer that is kept for each number there is', () => {
    expect(writeToStream.cacheNumbers).toBe(false);
  });

  it('are written by the same package as that which is asked for it', () => {
    const ofClient = createRequire(require.resolve('mqtt')).resolve('mqtt-packet');
    expect(require.resolve('mqtt-packet')).toBe(ofClient);
  });
});
