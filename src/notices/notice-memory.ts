import { dirname } from 'node:path';

import { replaceFile } from '../core/durable-file.ts';
import type { FileSystem } from '../core/filesystem.ts';

/**
 * The topics on which the broker may retain something of ours, kept in a small JSON file over restarts: a broker need
 * not send what it retains to who subscribes with a wildcard, and then there is no way to ask for it.
 *
 * A topic is in the file before it is published to, and leaves it after the empty message has been taken, so that a
 * crash in between leaves one too many and never one too few: clearing what is not there does nothing. The file is
 * replaced as a whole, only when the set changes, and is never trusted: what can't be read or understood counts as
 * nothing known.
 */
export class NoticeMemory {
  readonly #files: FileSystem;
  readonly #path: string;
  #loaded: Promise<Set<string>> | undefined;
  /** Counts the changes of the set, and up to which of them the file has it. */
  #changes = 0;
  #savedChanges = 0;
  #writing: Promise<void> | undefined;

  constructor(files: FileSystem, path: string) {
    this.#files = files;
    this.#path = path;
  }

  async topics(): Promise<readonly string[]> {
    return [...(await this.#topics())];
  }

  /**
   * Resolves when it is durable. Throws the system error when the disk does not take it; it is remembered until the end
   * of the process.
   */
  async remember(topic: string): Promise<void> {
    const topics = await this.#topics();
    if (!topics.has(topic)) this.#changes += 1;
    topics.add(topic);
    await this.#save(topics);
  }

  /** As `remember`. */
  async forget(topic: string): Promise<void> {
    const topics = await this.#topics();
    if (topics.delete(topic)) this.#changes += 1;
    await this.#save(topics);
  }

  #topics(): Promise<Set<string>> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  async #load(): Promise<Set<string>> {
    try {
      const known: unknown = JSON.parse((await this.#files.read(this.#path)).toString());
      return new Set(isTopics(known) ? known.topics : []);
    } catch {
      return new Set();
    }
  }

  /** Changes that come while the file is being written share the next write. */
  async #save(topics: ReadonlySet<string>): Promise<void> {
    const wanted = this.#changes;
    while (this.#savedChanges < wanted) {
      this.#writing ??= this.#write(topics).finally(() => {
        this.#writing = undefined;
      });
      await this.#writing;
    }
  }

  async #write(topics: ReadonlySet<string>): Promise<void> {
    const changes = this.#changes;
    const text = `${JSON.stringify({ topics: [...topics] })}\n`;
    await this.#files.makeDirectory(dirname(this.#path));
    await replaceFile(this.#files, this.#path, text);
    this.#savedChanges = changes;
  }
}

function isTopics(value: unknown): value is { readonly topics: readonly string[] } {
  if (typeof value !== 'object' || value === null || !('topics' in value)) return false;
  const { topics } = value;
  return Array.isArray(topics) && topics.every((topic) => typeof topic === 'string' && topic !== '');
}
