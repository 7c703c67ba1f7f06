import { noStep, STEPS, type OnStep } from '../../core/steps.ts';
import { CommandError, type Environment } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** `<step>:<n>`: the process kills itself when it reaches that step for the n-th time. For tests. */
const VARIABLE = 'BRIDGE_TEST_KILL_AT';
const FORM = /^(?<step>[a-z-]+):(?<nth>[1-9]\d*)$/;

/**
 * What is to happen at each step of the bridge: nothing, unless a test wants the bridge to crash there. Throws a
 * CommandError when the variable of the test is malformed.
 */
export function killAtStep(env: Environment): OnStep {
  const text = env[VARIABLE];
  if (text === undefined) return noStep;
  const groups = FORM.exec(text)?.groups;
  const fatal = STEPS.find((step) => step === groups?.['step']);
  if (fatal === undefined) throw new CommandError(EXIT.usage, `${VARIABLE}: ${text} is not <step>:<n>`);
  let left = Number(groups?.['nth']);
  return (step) => {
    if (step !== fatal) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
