import { runCli } from './cli.ts';

/** Runs the command line of this process and ends it, whatever timer or socket may still be open. */
export async function runProcess(): Promise<void> {
  const { stdout, stderr, env } = process;
  // A reader that went away (`… | head`, a restarted log collector) is no reason to die in the middle of a batch.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  const exitCode = await runCli(process.argv.slice(2), { stdout, stderr, env, stdin: () => process.stdin });
  await Promise.all([flushed(stdout), flushed(stderr)]);
  process.exit(exitCode);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
