import { dirname } from 'node:path';

import type { Clock } from '../core/clock.ts';
import { removeIfThere, replaceFile, TEMPORARY_SUFFIX } from '../core/durable-file.ts';
import { systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import type { Outage } from './status.ts';

/** An outage as the file has it; while it lasts, `seconds` and `rowsBackedUp` are of its beginning. */
export interface KeptOutage extends Outage {
  /** What the destination had counted as backed up when it began: over a restart its rows are counted on from there. */
  readonly backedUpBefore?: number;
}

export interface OutageFileOptions {
  readonly fileSystem: FileSystem;
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_MS = 30_000;
const KINDS: readonly Outage['of'][] = ['oracle', 'broker', 'journal'];

/**
 * The history of outages on disk: a small JSON file, replaced as a whole and durably, and never trusted: what can't be
 * read or understood counts as nothing known.
 *
 * Nobody waits for it, and nothing is decided by it. A disk that refuses is asked again after 30 s, and what a refused
 * write left there is taken away, so that it has no room that others need; one that does not answer is asked nothing
 * more.
 */
export class OutageFile {
  readonly #options: OutageFileOptions;
  /** What the disk has not yet. */
  #wanted: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #isRefused = false;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutageFileOptions) {
    this.#options = options;
  }

  /** What an earlier run left. Never throws. */
  async read(): Promise<readonly KeptOutage[]> {
    const { fileSystem, log, path } = this.#options;
    try {
      const file: unknown = JSON.parse((await fileSystem.read(path)).toString());
      const found = isRecord(file) && Array.isArray(file['outages']) ? (file['outages'] as readonly unknown[]) : [];
      return found.flatMap((each) => outageIn(each) ?? []);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') log.warn('the history of outages cannot be read', { path, error });
      return [];
    }
  }

  /** The disk is to have these, once `write` is called. */
  want(outages: readonly KeptOutage[]): void {
    this.#wanted = `${JSON.stringify({ outages })}\n`;
  }

  /** Begins to write what the disk has not yet, where it is not at it, nor has refused just now. */
  write(): void {
    const text = this.#wanted;
    if (text === undefined || this.#isWriting || this.#options.clock.monotonic() < this.#notBeforeMs) return;
    this.#isWriting = true;
    this.#writing = this.#replace(text).finally(() => {
      this.#isWriting = false;
    });
  }

  /** Resolves when nothing is being written. Never throws. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #replace(text: string): Promise<void> {
    const { clock, fileSystem, log, path } = this.#options;
    try {
      await fileSystem.makeDirectory(dirname(path));
      await replaceFile(fileSystem, path, text);
      if (this.#wanted === text) this.#wanted = undefined;
      this.#isRefused = false;
    } catch (error) {
      if (!this.#isRefused) log.warn('the history of outages cannot be kept, trying again', { path, error });
      this.#isRefused = true;
      this.#notBeforeMs = clock.monotonic() + RETRY_MS;
      await removeIfThere(fileSystem, path + TEMPORARY_SUFFIX).catch(() => {}); // the next try removes it first
    }
  }
}

/** Undefined for what is no outage. */
function outageIn(found: unknown): KeptOutage | undefined {
  if (!isRecord(found)) return undefined;
  const { began, code, destination, ended, reason, restarted } = found;
  const of = KINDS.find((kind) => kind === found['of']);
  if (of === undefined || !isTime(began) || typeof reason !== 'string') return undefined;
  const rowsBackedUp = countIn(found['rowsBackedUp']);
  const backedUpBefore = countIn(found['backedUpBefore']);
  return {
    of,
    ...(typeof destination === 'string' ? { destination } : {}),
    began,
    ...(isTime(ended) ? { ended } : {}),
    seconds: countIn(found['seconds']) ?? 0,
    ...(typeof code === 'string' ? { code } : {}),
    reason,
    ...(rowsBackedUp === undefined ? {} : { rowsBackedUp }),
    ...(restarted === true ? { restarted } : {}),
    ...(backedUpBefore === undefined ? {} : { backedUpBefore }),
  };
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function countIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
