import { dirname } from 'node:path';

import { replaceFile } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';

export interface Subscription {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

/** A subscription that the broker's session has or, when not confirmed, may have. */
export interface KnownSubscription extends Subscription {
  readonly confirmed: boolean;
}

export interface RememberedSession {
  /** Client id and broker; of another session only the topics to unsubscribe are of use. */
  readonly session: string;
  readonly subscriptions: readonly KnownSubscription[];
}

/**
 * The subscriptions of the broker's session, kept in a small JSON file over restarts: the protocol has no way to ask
 * for them.
 *
 * The file is replaced as a whole and durably, and never trusted: what can't be read or understood counts as nothing
 * known.
 */
export class SubscriptionMemory {
  readonly #files: FileSystem;
  readonly #path: string;

  constructor(files: FileSystem, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** Undefined: nothing known. */
  async load(): Promise<RememberedSession | undefined> {
    try {
      const remembered: unknown = JSON.parse((await this.#files.read(this.#path)).toString());
      if (!isRememberedSession(remembered)) return undefined;
      const { session, subscriptions } = remembered;
      return { session, subscriptions: subscriptions.map(({ topic, qos, confirmed }) => ({ topic, qos, confirmed })) };
    } catch {
      return undefined;
    }
  }

  /** Throws the system error when the disk does not take it; the old file is then still there. */
  async save(remembered: RememberedSession): Promise<void> {
    await this.#files.makeDirectory(dirname(this.#path));
    await replaceFile(this.#files, this.#path, `${JSON.stringify(remembered)}\n`);
  }
}

function isRememberedSession(value: unknown): value is RememberedSession {
  return (
    isRecord(value) &&
    typeof value['session'] === 'string' &&
    Array.isArray(value['subscriptions']) &&
    value['subscriptions'].every(isKnownSubscription)
  );
}

function isKnownSubscription(value: unknown): value is KnownSubscription {
  return (
    isRecord(value) &&
    typeof value['topic'] === 'string' &&
    value['topic'] !== '' &&
    (value['qos'] === 0 || value['qos'] === 1 || value['qos'] === 2) &&
    typeof value['confirmed'] === 'boolean'
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
