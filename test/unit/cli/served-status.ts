import { runCli } from '../../../src/cli/cli.ts';
import { systemClock } from '../../../src/core/clock.ts';
import type { Answer } from '../../../src/ops/answers.ts';
import { HttpServer } from '../../../src/ops/http.ts';
import { collectStatus } from '../../../src/ops/collect-status.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import type { MadeUpSources } from '../ops/made-up-sources.ts';

const opened: HttpServer[] = [];

/** After each test. */
export async function stopServers(): Promise<void> {
  await Promise.all(opened.splice(0).map((server) => server.stop()));
}

/** Answers `/api/status` on a free port; its address. */
export async function serve(answer: () => Answer): Promise<string> {
  const routes = { '/api/status': answer };
  const server = new HttpServer({ host: '127.0.0.1', port: 0, clock: systemClock, log: new RecordingLogger(), routes });
  await server.start();
  opened.push(server);
  return server.url;
}

export function serveBridge(sources: MadeUpSources): Promise<string> {
  const body = JSON.stringify(collectStatus(sources));
  return serve(() => ({ status: 200, contentType: 'application/json', body }));
}

/** `status` with these arguments. */
export async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let out = '';
  let errors = '';
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (errors += text) };
  const exitCode = await runCli(['status', ...args], { stdout, stderr, env });
  return { exitCode, out, errors };
}
