import { describe, expect, it } from 'vitest';

import { isLoopback } from '../../../src/core/loopback.ts';

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.255.0.9', '::1', '[::1]', 'localhost', 'LocalHost'])('takes %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.example', 'localhost.example', '127', '', '10.0.0.1'])(
    'does not take "%s"',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});
