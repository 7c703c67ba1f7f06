import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Once for all tests that run the built bridge: a build takes away what is there before. */
export async function setup(): Promise<void> {
  await promisify(execFile)('npm', ['run', '--silent', 'build']);
}
