import { describe, expect, it } from 'vitest';

import { Gate } from '../../../src/core/gate.ts';

describe('Gate', () => {
  it('lets through who waits now, and not who comes later', async () => {
    const gate = new Gate();
    gate.open();
    const passed = gate.wait();
    expect(gate.isAwaited).toBe(true);
    gate.open();
    await passed;
    expect(gate.isAwaited).toBe(false);
  });

  it('lets through on abort, before the wait or during it', async () => {
    const gate = new Gate();
    await gate.wait(AbortSignal.abort());
    const abort = new AbortController();
    const passed = gate.wait(abort.signal);
    abort.abort();
    await passed;
    expect(gate.isAwaited).toBe(false);
  });

  it('refuses a second one who waits', async () => {
    const gate = new Gate();
    const passed = gate.wait();
    expect(() => gate.wait()).toThrow('two are waiting');
    gate.open();
    await passed;
  });
});
