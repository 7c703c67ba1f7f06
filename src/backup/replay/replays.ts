import type { BackupFileInfo } from '../files/file-info.ts';
import { UnknownFileError } from '../files/folder.ts';
import { goneHint } from '../files/gone-hint.ts';
import type { RequestState } from './file-state.ts';
import { RedirectRefusedError } from './redirects.ts';
import { hasBegun, readNote } from './replay-note.ts';
import { Replay, type ReplayOptions, type ReplayProgress } from './replay.ts';

export interface ReplaysOptions extends Omit<ReplayOptions, 'destination' | 'isConfigured' | 'isOurs' | 'onEnded'> {
  /** Those of the configuration, the default first. */
  readonly destinations: readonly string[];
  /** Why files of messages can't be replayed now; absent, or undefined: they can. */
  readonly messagesRefusal?: (() => string | undefined) | undefined;
}

/** A file that can't be replayed by asking for it. */
export class ReplayRefusedError extends Error {}

/**
 * The replay of all files, a loop for each destination: one that hangs holds up its own files only. A file belongs to
 * the loop of the destination that its rows go to: the one that a person has sent them to, else the one that they are
 * for. Files of messages, whose rows may be for many, belong to the default's. Nobody takes a file whose destination
 * the configuration does not name, until a person has sent it elsewhere.
 */
export class Replays {
  readonly #options: ReplaysOptions;
  readonly #loops = new Map<string, Replay>();

  constructor(options: ReplaysOptions) {
    this.#options = options;
    const { backups, destinations } = options;
    for (const destination of destinations) {
      const loop: Replay = new Replay({
        ...options,
        destination,
        isConfigured: (name) => this.#loops.has(name),
        isOurs: (file) =>
          backups.targetOf(file) === destination &&
          !backups.redirects.isChanging(file.name) &&
          [...this.#loops.values()].every((each) => each === loop || !each.holds(file.name)),
        onEnded: () => this.#wakeWaiting(loop),
      });
      this.#loops.set(destination, loop);
    }
  }

  start(): void {
    for (const loop of this.#loops.values()) loop.start();
  }

  /** Ends after the batches that are being written; the files stay, and are gone on with by the next start. */
  async stop(): Promise<void> {
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop()));
  }

  /** The destination takes rows again, or a file of it was sealed; absent: all of them. */
  wake(destination?: string): void {
    for (const [name, loop] of this.#loops) {
      if (destination === undefined || name === destination) loop.wake();
      else loop.wakeWaiting();
    }
  }

  /** Holds from the next batch of each destination on, `enabled` from the next file on. */
  tune(tuning: Pick<ReplayOptions, 'enabled' | 'batches'>): void {
    for (const loop of this.#loops.values()) loop.tune(tuning);
  }

  /** Of the first of the files that are being replayed, if any are. */
  progress(): ReplayProgress | undefined {
    return this.allProgress()[0];
  }

  /** Of the files that are being replayed, one a destination at most. */
  allProgress(): readonly ReplayProgress[] {
    return [...this.#loops.values()].flatMap((loop) => loop.progress() ?? []);
  }

  isReplaying(file: string): boolean {
    return [...this.#loops.values()].some((loop) => loop.isReplaying(file));
  }

  /**
   * Queues a file because a person asks: of any origin, of rejected rows too, of rows without places, and of messages
   * that could not be decoded. With `to` all its rows go to the destination of that name, whomever they are for, also
   * when another run has to go on with it. Resolves when it is queued, and where to is durable. Throws
   * UnknownFileError, ReplayRefusedError for what can't be replayed so, and the system error of the disk.
   */
  async request(file: string, to?: string): Promise<void> {
    const { backups } = this.#options;
    if (to !== undefined && !this.#loops.has(to)) {
      throw new ReplayRefusedError(`no destination is called ${to}: there are ${[...this.#loops.keys()].join(', ')}`);
    }
    await backups.rescan();
    await backups.seal(file);
    const info = backups.file(file);
    if (info === undefined) throw new UnknownFileError(file);
    const refusal = info.kind === 'undecodable' ? this.#options.messagesRefusal?.() : undefined;
    if (refusal !== undefined) throw new ReplayRefusedError(`${file}: ${refusal}`);
    if (info.state === 'open') throw new ReplayRefusedError(`${file} is being written and could not be sealed`);
    if (backups.redirects.isChanging(file))
      throw new ReplayRefusedError(`${file}: another request is just being taken`);
    if (to !== undefined) await this.#redirect(file, to);
    this.#loopOf(info).ask(file);
  }

  /** Undefined for a file that nobody asked for. */
  requestState(file: string): RequestState | undefined {
    for (const loop of this.#loops.values()) {
      const state = loop.requestState(file);
      if (state !== undefined) return state;
    }
    return undefined;
  }

  /**
   * Does `work`, which puts other rows in the place of those of the file, under the same numbers: only before any of
   * them may have been sent, and while nobody may begin to. Throws ReplayRefusedError when it is too late for that, and
   * what `work` and the disk throw.
   */
  async beforeReplay(file: string, work: () => Promise<void>): Promise<void> {
    const { folder, redirects } = this.#options.backups;
    if (this.isReplaying(file)) throw new ReplayRefusedError(`${file} is being replayed`);
    await this.#unlessRefused(file, () =>
      redirects.alone(file, async () => {
        const isBegun = hasBegun(await readNote(folder, file));
        if (isBegun) throw new ReplayRefusedError(`${file}: its replay has begun, and rows of it may be in the table`);
        await work();
      }),
    );
  }

  async #redirect(name: string, to: string): Promise<void> {
    const { backups } = this.#options;
    if (this.isReplaying(name)) {
      if (backups.redirects.of(name) === to) return;
      throw new ReplayRefusedError(`${name} is being replayed`);
    }
    await this.#unlessRefused(name, () => backups.redirect(name, to));
  }

  /** No loop holds the file when `change` begins. */
  async #unlessRefused(name: string, change: () => Promise<void>): Promise<void> {
    for (const loop of this.#loops.values()) loop.release(name);
    try {
      await change();
    } catch (error) {
      if (error instanceof RedirectRefusedError) throw new ReplayRefusedError(error.message);
      throw error;
    }
  }

  /** Whoever has it in hand already, else the loop of the destination that its rows go to. */
  #loopOf(info: BackupFileInfo): Replay {
    const target = this.#options.backups.targetOf(info);
    const loop = [...this.#loops.values()].find((each) => each.holds(info.name)) ?? this.#loops.get(target);
    if (loop === undefined) throw new ReplayRefusedError(`${info.name}: ${goneHint(target)}`);
    for (const each of this.#loops.values()) if (each !== loop) each.release(info.name);
    return loop;
  }

  #wakeWaiting(ended: Replay): void {
    for (const loop of this.#loops.values()) if (loop !== ended) loop.wakeWaiting();
  }
}
