import { mkdir, readdir, link, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BridgeChild } from '../crash/bridge-child.ts';
import { smallAndFast } from '../crash/small-and-fast.ts';
import type { Standin } from '../support/standin/standin.ts';
import { until } from '../support/until.ts';

export interface FleetMemberOptions {
  readonly id: string;
  /** For its files and logs. */
  readonly directory: string;
  readonly standin: Standin;
  readonly drainMs: number;
  readonly mqtt: { readonly url: string; readonly protocolVersion: 4 | 5; readonly topic: string };
}

/** So large that each life of a member has one segment. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** A tag of the LoadPublisher's payloads, or of its messages that are no JSON. */
const NAMES = /"([VRM]\d+)":|\{ (U\d+)/g;

/** One bridge of a fleet, over all its lives; what it ever journalled is kept. */
export class FleetMember {
  readonly id: string;
  readonly #options: FleetMemberOptions;
  #child: BridgeChild | undefined;
  #lives = 0;

  constructor(options: FleetMemberOptions) {
    this.#options = options;
    this.id = options.id;
  }

  get isRunning(): boolean {
    return this.#child?.isRunning === true;
  }

  /** Of the present life, or else of the last one. */
  get child(): BridgeChild {
    if (this.#child === undefined) throw new Error(`${this.id} has never been started`);
    return this.#child;
  }

  get backupDirectory(): string {
    return join(this.#options.directory, 'backup');
  }

  async prepare(): Promise<void> {
    const { directory } = this.#options;
    await mkdir(this.#kept, { recursive: true });
    const config = smallAndFast({ ...this.#options, segmentBytes: SEGMENT_BYTES });
    await writeFile(join(directory, 'bridge.json'), JSON.stringify(config, undefined, 2));
  }

  /** `killAt` is a step and how often it is passed, such as `synced:3`: there it kills itself. */
  async start(killAt?: string): Promise<BridgeChild> {
    await this.#keepSegments();
    const { directory } = this.#options;
    this.#lives += 1;
    this.#child = new BridgeChild(
      join(directory, 'bridge.json'),
      join(directory, `life-${this.#lives}.log`),
      killAt === undefined ? {} : { killAt },
    );
    return this.#child;
  }

  /** For a session that the broker does not know yet. */
  untilSubscribed(timeoutMs: number): Promise<void> {
    return this.#until('subscribe', timeoutMs, ({ child }) => child.hasSaid('subscribed'));
  }

  untilConnected(timeoutMs: number): Promise<void> {
    return this.#until('connect', timeoutMs, async ({ child }) => (await child.status())?.mqtt.connected === true);
  }

  async #until(what: string, timeoutMs: number, isSo: (self: this) => boolean | Promise<boolean>): Promise<void> {
    await until(
      `${this.id} to ${what}`,
      () => {
        if (!this.isRunning) throw new Error(`${this.id} ended with ${this.child.end}: see ${this.#options.directory}`);
        return isSo(this);
      },
      timeoutMs,
      20,
    );
  }

  /** How often each name stands in what it journalled; to be asked when it does not run. */
  async journalled(): Promise<Map<string, number>> {
    await this.#keepSegments();
    const counts = new Map<string, number>();
    for (const name of await readdir(this.#kept)) {
      const text = await readFile(join(this.#kept, name), 'latin1');
      for (const [, tag, message] of text.matchAll(NAMES)) {
        const found = tag === undefined ? message! : `P.${tag}`;
        counts.set(found, (counts.get(found) ?? 0) + 1);
      }
    }
    return counts;
  }

  get #kept(): string {
    return join(this.#options.directory, 'kept');
  }

  /** The bridge deletes a segment when all of it is settled, and not before its next life: a second name keeps it. */
  async #keepSegments(): Promise<void> {
    const journal = join(this.#options.directory, 'journal');
    const names = await readdir(journal).catch(() => []);
    const kept = new Set(await readdir(this.#kept));
    for (const name of names) {
      if (name.startsWith('segment-') && !kept.has(name)) await link(join(journal, name), join(this.#kept, name));
    }
  }
}
