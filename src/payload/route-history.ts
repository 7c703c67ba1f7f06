import { ifThere, removeIfThere, replaceFile, TEMPORARY_SUFFIX } from '../core/durable-file.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import type { Reserve } from '../core/reserve.ts';
import type { Route } from './decoder.ts';

export interface RouteHistoryOptions {
  readonly path: string;
  readonly reserve: Reserve;
  readonly fileSystem: FileSystem;
  /** Completes routes that an earlier version has noted: it may not have known all keys. */
  readonly complete: (route: Route) => Route;
  readonly log: Logger;
}

/** Messages from this number on, up to the next era's, are read by these routes. */
interface Era {
  readonly from: number;
  readonly routes: readonly Route[];
}

/**
 * A message is read as the configuration said that was valid when it came, whatever it says by the time of the reading:
 * which destination a value is for, and which number in its message it has, must not change between a crash and the
 * start that follows, as the ledgers and the files name values by these.
 *
 * So each change of the routes is durable before the first message that is read by them, in one small file of the
 * journal's directory. Eras whose messages are all settled are forgotten with the next change.
 */
export class RouteHistory {
  readonly #options: RouteHistoryOptions;
  #journalId = '';
  /** All messages up to this one are settled by a durable checkpoint. */
  #settledNo = 0;
  #eras: readonly Era[] = [];
  /** The file has an era that is forgotten, and would hold again once there are messages of its numbers. */
  #isFileStale = false;

  constructor(options: RouteHistoryOptions) {
    this.#options = options;
  }

  /**
   * Reads what an earlier run left for this journal, whose messages are settled up to this one and end with `lastNo`.
   * An era that begins behind the next one is of messages that a power cut has taken: their numbers may be given again.
   * Throws the system error of the disk.
   */
  async start(journalId: string, settledNo: number, lastNo: number): Promise<void> {
    const { fileSystem, log, path } = this.#options;
    this.#journalId = journalId;
    this.#settledNo = settledNo;
    await removeIfThere(fileSystem, path + TEMPORARY_SUFFIX);
    const bytes = await ifThere(fileSystem.read(path));
    if (bytes === undefined) return;
    try {
      const content = JSON.parse(bytes.toString()) as { readonly journal: string; readonly eras: readonly Era[] };
      if (content.journal !== journalId) return;
      const eras = content.eras.filter(({ from }) => from <= lastNo + 1);
      this.#eras = eras.map(({ from, routes }) => ({ from, routes: this.#completed(routes) }));
      this.#isFileStale = eras.length < content.eras.length;
    } catch (error) {
      log.warn('how messages of the journal were to be read is not known any more: read as configured now', { error });
    }
  }

  /** Nothing was noted yet. */
  get isEmpty(): boolean {
    return this.#eras.length === 0;
  }

  /** Whether these are the latest routes, and durable as such. */
  isCurrent(routes: readonly Route[]): boolean {
    if (this.#isFileStale) return false;
    const latest = this.#eras.at(-1);
    return latest !== undefined && JSON.stringify(latest.routes) === JSON.stringify(this.#completed(routes));
  }

  /** The routes of the message of this number; undefined: nothing was noted for it. */
  at(messageNo: number): readonly Route[] | undefined {
    return this.#eras.findLast(({ from }) => from <= messageNo)?.routes;
  }

  /** Those of the message of this number at last, before them those of earlier ones, as far as they are known. */
  through(messageNo: number): readonly (readonly Route[])[] {
    return this.#eras.filter(({ from }) => from <= messageNo).map(({ routes }) => routes);
  }

  /** From which message on, behind this one, others hold; Infinity: these are the latest. */
  nextFrom(messageNo: number): number {
    return this.#eras.find(({ from }) => from > messageNo)?.from ?? Infinity;
  }

  /** All that messages may be read by that are not settled. */
  get open(): readonly Route[] {
    return this.#openEras().flatMap(({ routes }) => routes);
  }

  /**
   * Messages from this number on are read by these routes, and the others by `earlier`, where that is given: durable
   * when it resolves. Throws the system error of the disk; then the former ones hold on.
   */
  async change(routes: readonly Route[], from: number, earlier?: readonly Route[]): Promise<void> {
    const { fileSystem, path, reserve } = this.#options;
    const first = earlier === undefined ? this.#openEras() : [{ from: 0, routes: this.#completed(earlier) }];
    const eras = [...first.filter((era) => era.from < from), { from, routes: this.#completed(routes) }];
    const text = `${JSON.stringify({ journal: this.#journalId, eras })}\n`;
    const write = (): Promise<void> => replaceFile(fileSystem, path, text);
    // Without room messages go on being read as before, and what they leave may be enough.
    await (Buffer.byteLength(text) <= reserve.mostForOne ? reserve.spendOn(write) : write());
    this.#eras = eras;
    this.#isFileStale = false;
  }

  /** What a checkpoint needs is durable already. */
  save(): Promise<void> {
    return Promise.resolve();
  }

  /** A checkpoint says that the messages up to this one are settled, and is durable. */
  saved(settledNo: number): Promise<void> {
    this.#settledNo = settledNo;
    return Promise.resolve();
  }

  #completed(routes: readonly Route[]): readonly Route[] {
    return routes.map(this.#options.complete);
  }

  #openEras(): readonly Era[] {
    return this.#eras.filter((_era, i) => (this.#eras[i + 1]?.from ?? Infinity) > this.#settledNo + 1);
  }
}
