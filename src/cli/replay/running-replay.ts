import type { ListedFile } from '../../backup/replay/listing.ts';
import type { Config } from '../../config/config.ts';
import { printable } from '../../core/printable.ts';
import { CommandError } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { askBridge, bridgeUrl } from '../remote/bridge-request.ts';
import type { Replayer } from './replayer.ts';

/**
 * The bridge with this configuration, if it runs: undefined when nothing listens there. Throws CommandError when what
 * listens there refuses.
 */
export async function findRunningReplay({ http }: Config): Promise<Replayer | undefined> {
  if (!http.enabled || http.port === 0) return undefined;
  const base = bridgeUrl(http);
  try {
    await ask(`${base}/api/backups`, {});
  } catch (error) {
    if (error instanceof CommandError) throw error;
    return undefined;
  }
  if (http.token === '') {
    throw new CommandError(
      EXIT.config,
      `http.token is empty, so the running bridge at ${base} takes no requests: set it for both and start the bridge again`,
    );
  }
  const headers = { authorization: `Bearer ${http.token}` };
  return {
    staysOn: true,
    files: async () => JSON.parse(await askOrFail(`${base}/api/backups`, {}, base)) as ListedFile[],
    request: async (file, to) => {
      const query = to === undefined ? '' : `?to=${encodeURIComponent(to)}`;
      const url = `${base}/api/backups/${encodeURIComponent(file)}/replay${query}`;
      await askOrFail(url, { method: 'POST', headers }, base);
    },
  };
}

async function askOrFail(url: string, init: RequestInit, base: string): Promise<string> {
  try {
    return await ask(url, init);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(EXIT.unavailable, `the bridge at ${base} can't be reached any more`);
  }
}

/** The exit code for each answer that is none; others mean that no bridge of this version listens there. */
const REFUSALS: Readonly<Record<number, ExitCode>> = {
  401: EXIT.config,
  403: EXIT.config,
  404: EXIT.inputOutput,
  409: EXIT.inputOutput,
};

async function ask(url: string, init: RequestInit): Promise<string> {
  const { isGood, status, text } = await askBridge(url, init);
  if (isGood) return text;
  const exitCode = REFUSALS[status] ?? EXIT.unavailable;
  throw new CommandError(exitCode, `${new URL(url).origin} answered ${status}: ${printable(messageIn(text))}`);
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // plain text
  }
  return text.trim();
}
