import { dirname } from 'node:path';

import { brokerOf, brokerUrls } from '../../core/broker-url.ts';
import type { Clock } from '../../core/clock.ts';
import { replaceFile } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProtocolVersion } from './protocol-version.ts';

/** What was done so that a starved session gets messages again; each includes those before: see starvation.ts. */
export const MEASURES = ['none', 'receiveMaximum', 'mqtt311'] as const;
export type Measure = (typeof MEASURES)[number];

/** What is known of the broker, or the cluster, from this process and earlier ones. */
export interface BrokerKnowledge {
  /** The one that let the intake in last: `mqtt://10.0.0.5:1883`. */
  readonly broker?: string;
  /** The protocol version that worked. */
  readonly version?: ProtocolVersion;
  /** Wall clock: since when it is known. */
  readonly versionAtMs?: number;
  /** There was a session with all its subscriptions. */
  readonly hadSession: boolean;
  /** A probe of the session came back. */
  readonly returnsProbes: boolean;
  readonly measure: Measure;
}

/** Counts that go on over restarts, whatever the broker. */
export interface BrokerCounts {
  readonly sessionsLost: number;
  readonly sessionsStarved: number;
}

export type BrokerNotes = BrokerKnowledge & BrokerCounts;

export interface BrokerMemoryOptions {
  readonly files: FileSystem;
  readonly path: string;
  readonly url: string | readonly string[];
  readonly clientId: string;
  /** The configured version. */
  readonly protocolVersion: ProtocolVersion;
  readonly clock: Clock;
  readonly log: Logger;
}

const NOTHING: BrokerKnowledge = { hadSession: false, returnsProbes: false, measure: 'none' };

/** Brokers are brought up to date: after so long a restart asks again for the version that the configuration names. */
const VERSION_KEPT_MS = 30 * 86_400_000;

/**
 * The name of a session at a broker: client id and address. A list of addresses is one cluster, whatever the order in
 * which they are tried.
 */
export function sessionName(clientId: string, url: string | readonly string[]): string {
  return `${clientId}@${brokerUrls(url).map(brokerOf).sort().join(',')}`;
}

/**
 * What is known of the broker, kept in a small JSON file over restarts.
 *
 * The file is replaced as a whole and durably, and never trusted: what can't be read or understood counts as unknown,
 * and so does what was learned with another client id, list of addresses or protocol version in the configuration. Only
 * the counts go on then.
 */
export class BrokerMemory {
  readonly #options: BrokerMemoryOptions;
  readonly #session: string;
  #known: BrokerNotes = { ...NOTHING, sessionsLost: 0, sessionsStarved: 0 };
  #loading: Promise<void> | undefined;
  #saved: Promise<void> = Promise.resolve();

  constructor(options: BrokerMemoryOptions) {
    this.#options = options;
    this.#session = sessionName(options.clientId, options.url);
  }

  get known(): BrokerNotes {
    return this.#known;
  }

  /** To be awaited before `known` is looked at; the second call brings nothing new. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    const { clock, files, path, protocolVersion } = this.#options;
    let file: unknown;
    try {
      file = JSON.parse((await files.read(path)).toString());
    } catch {
      return;
    }
    if (!isRecord(file)) return;
    const isOurs = file['session'] === this.#session && file['protocolVersion'] === protocolVersion;
    const knowledge = isOurs ? knowledgeIn(file, clock.now()) : NOTHING;
    const counts = { sessionsLost: countIn(file['sessionsLost']), sessionsStarved: countIn(file['sessionsStarved']) };
    this.#known = { ...knowledge, ...counts };
  }

  /**
   * Resolves when it is durable, or when the disk refuses, which is logged; never throws. What is known already costs
   * nothing.
   */
  note(change: Partial<BrokerNotes>): Promise<void> {
    const before: Readonly<Record<string, unknown>> = { ...this.#known };
    if (Object.entries(change).every(([name, value]) => before[name] === value)) return this.#saved;
    this.#known = { ...this.#known, ...change };
    if (change.version !== undefined && change.version !== before['version']) {
      this.#known = { ...this.#known, versionAtMs: this.#options.clock.now() };
    }
    this.#saved = this.#saveAfter(this.#saved);
    return this.#saved;
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#saved;
  }

  async #saveAfter(last: Promise<void>): Promise<void> {
    await last;
    const { files, log, path, protocolVersion } = this.#options;
    try {
      await files.makeDirectory(dirname(path));
      const text = JSON.stringify({ session: this.#session, protocolVersion, ...this.#known });
      await replaceFile(files, path, `${text}\n`);
    } catch (error) {
      log.warn('what is known of the broker is not remembered for the next start', { error });
    }
  }
}

function knowledgeIn(file: Readonly<Record<string, unknown>>, nowMs: number): BrokerKnowledge {
  const { broker, versionAtMs } = file;
  const version = file['version'] === 4 || file['version'] === 5 ? file['version'] : undefined;
  // Clocks are set back, too: a little into the future is no reason to forget it.
  const isFresh = typeof versionAtMs === 'number' && Math.abs(nowMs - versionAtMs) < VERSION_KEPT_MS;
  return {
    ...(typeof broker === 'string' ? { broker } : {}),
    ...(version !== undefined && isFresh ? { version, versionAtMs } : {}),
    hadSession: file['hadSession'] === true,
    returnsProbes: file['returnsProbes'] === true,
    measure: MEASURES.find((measure) => measure === file['measure']) ?? 'none',
  };
}

function countIn(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
