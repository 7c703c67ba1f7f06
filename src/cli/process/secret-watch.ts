import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { SETTINGS } from '../../config/convict.ts';
import { problemsOf } from '../../config/load.ts';
import { secretIn } from '../../config/text-layers.ts';
import { sleep, type Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';

export interface SecretWatchParts {
  /** By the path of the setting; those that a reload does not apply are left alone. */
  readonly files: ReadonlyMap<string, string>;
  /** Empty: none. */
  readonly walletDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What has changed, by the path of the setting. Must not throw. */
  readonly onSecrets: (values: ReadonlyMap<string, string>) => void;
  /** A file of the wallet is another one. Must not throw. */
  readonly onWallet: () => void;
}

const LOOK_EVERY_MS = 5_000;
/** What the driver reads of a wallet's directory, anew at each log-on. */
const WALLET_FILES = ['ewallet.pem', 'tnsnames.ora'];
const ABSENT = '\0';

/**
 * Looks at the contents of a few small files every five seconds. Not by the file system's own notices: an orchestrator
 * changes a secret by turning a symbolic link two directories up, of which the file's directory hears nothing.
 *
 * What is half written, empty or no good secret is not taken over; the log says so once.
 */
export class SecretWatch {
  readonly #parts: SecretWatchParts;
  readonly #stopping = new AbortController();
  readonly #files: ReadonlyMap<string, string>;
  readonly #walletFiles: readonly string[];
  /** The content of each file when it was last looked at. */
  readonly #seen = new Map<string, string>();
  /** By the path of its setting, what was last good. */
  readonly #known = new Map<string, string>();

  constructor(parts: SecretWatchParts) {
    this.#parts = parts;
    this.#files = new Map([...parts.files].filter(([path]) => SETTINGS.get(path)?.appliedOnReload === true));
    this.#walletFiles = parts.walletDir === '' ? [] : WALLET_FILES.map((name) => join(parts.walletDir, name));
  }

  /** Takes what is there now as known, and looks on from then. */
  start(): void {
    if (this.#files.size + this.#walletFiles.length > 0) void this.#watch();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #watch(): Promise<void> {
    const { clock, onSecrets, onWallet } = this.#parts;
    const { signal } = this.#stopping;
    for (const file of [...this.#files.values(), ...this.#walletFiles]) this.#seen.set(file, await contentOf(file));
    for (const [path, file] of this.#files) this.#known.set(path, secretIn(this.#seen.get(file) ?? ABSENT));
    for (;;) {
      await sleep(clock, LOOK_EVERY_MS, signal);
      if (signal.aborted) return;
      const secrets = await this.#changedSecrets();
      const isWalletChanged = await this.#hasWalletChanged();
      if (signal.aborted) return;
      if (secrets.size > 0) onSecrets(secrets);
      else if (isWalletChanged) onWallet();
    }
  }

  async #changedSecrets(): Promise<Map<string, string>> {
    const changed = new Map<string, string>();
    for (const [path, file] of this.#files) {
      const text = await contentOf(file);
      if (text === this.#seen.get(file)) continue;
      this.#seen.set(file, text);
      const secret = secretIn(text);
      const setting = SETTINGS.get(path);
      const [problem] = text === ABSENT || setting === undefined ? [] : problemsOf(secret, setting);
      if (text === ABSENT || secret === '' || problem !== undefined) {
        this.#refuse(path, file, text === ABSENT ? 'cannot be read' : (problem?.must ?? 'has nothing in it'));
      } else if (secret !== this.#known.get(path)) {
        this.#known.set(path, secret);
        changed.set(path, secret);
      }
    }
    return changed;
  }

  async #hasWalletChanged(): Promise<boolean> {
    let hasChanged = false;
    for (const file of this.#walletFiles) {
      const text = await contentOf(file);
      hasChanged ||= text !== this.#seen.get(file);
      this.#seen.set(file, text);
    }
    return hasChanged;
  }

  #refuse(key: string, file: string, problem: string): void {
    this.#parts.log.warn('changed file of a secret is not taken over: the bridge goes on with what it has', {
      key,
      file,
      problem,
    });
  }
}

/** `ABSENT` for a file that is not there or may not be read. */
async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return ABSENT;
  }
}
