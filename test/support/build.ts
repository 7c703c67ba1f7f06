import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Several projects of the tests ask for it, in one process. */
const DONE = 'TESTS_HAVE_BUILT_THE_BRIDGE';

/** Once for all tests that run the built bridge: a build takes away what is there before. */
export async function setup(): Promise<void> {
  if (process.env[DONE] !== undefined) return;
  process.env[DONE] = 'yes';
  await promisify(execFile)('npm', ['run', '--silent', 'build']);
}
