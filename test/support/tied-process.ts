import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Kills the child as soon as this process is gone, however it went: a test run or a benchmark that is cut off leaves
 * nothing running.
 */
export function tieToThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const untie = whenThisProcessIsGone(`kill -s KILL ${child.pid}`);
  child.once('exit', untie);
}

/** The same for the process group that the child leads, and that may outlive it, until what is given is called. */
export function tieGroupToThisProcess(leader: ChildProcess): () => void {
  return leader.pid === undefined ? () => {} : whenThisProcessIsGone(`kill -s KILL -- -${leader.pid}`);
}

/**
 * A shell waits at a pipe, whose other end the kernel closes with this process. Windows has no such shell: nothing is
 * done there. Gives what ends the wait.
 */
function whenThisProcessIsGone(command: string): () => void {
  if (process.platform === 'win32') return () => {};
  // In a session of its own: what signals reach all of this process's group are not for it.
  const watcher = spawn('sh', ['-c', `read _; ${command}`], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.once('error', () => {}); // there is no shell
  watcher.unref();
  return () => void watcher.kill('SIGKILL');
}
