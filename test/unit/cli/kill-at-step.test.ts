import { describe, expect, it, vi } from 'vitest';

import { CommandError } from '../../../src/cli/command.ts';
import { killAtStep } from '../../../src/cli/process/kill-at-step.ts';
import { noStep, STEPS } from '../../../src/core/steps.ts';

describe('killAtStep', () => {
  it('does nothing where nothing is asked for', () => {
    expect(killAtStep({})).toBe(noStep);
  });

  it.each([
    '',
    'committed',
    'committed:',
    ':1',
    'committed:0',
    'committed:-1',
    'committed:1.5',
    'committed:1x',
    'Committed:1',
    'no-such-step:1',
    'constructor:1',
    'committed:1 ',
  ])('refuses %j with exit code 64 and the name of the variable', (text) => {
    const ask = (): unknown => killAtStep({ BRIDGE_TEST_KILL_AT: text });
    expect(ask).toThrow(CommandError);
    expect(ask).toThrow(
      expect.objectContaining({
        exitCode: 64,
        message: expect.stringContaining(`BRIDGE_TEST_KILL_AT: ${text} is not <step>:<n>`),
      }),
    );
  });

  it('lives on at other steps, and before the n-th time', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const onStep = killAtStep({ BRIDGE_TEST_KILL_AT: `${STEPS[0]}:3` });
    for (const step of [...STEPS, STEPS[0]]) onStep(step);
    expect(kill).not.toHaveBeenCalled();
    onStep(STEPS[0]);
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGKILL']]);
    kill.mockRestore();
  });
});
