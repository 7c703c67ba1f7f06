import { sleep, type Clock } from '../core/clock.ts';
import type { DiskRoom } from '../core/disk-room.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import { Growth } from './growth.ts';
import type { DiskDirectory, DiskStatus } from './status.ts';

export interface DiskWatchOptions {
  readonly directories: Readonly<Record<DiskDirectory, string>>;
  readonly room: (path: string) => Promise<DiskRoom>;
  readonly journal: () => { readonly bytes: number; readonly maxBytes: number; readonly messages: number };
  /** Of all files that wait in backup.dir. */
  readonly backupBytes: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 10_000;
/** Ten minutes of them. */
const SAMPLES_KEPT = 60;
/** With less a journal can't take a batch of messages for certain. */
const FULL_BYTES = 2 ** 20;
const LOW_SHARE = 0.05;
const LOW_BYTES = 2 ** 30;
const LOW_SECONDS = 24 * 3600;

/** How much room there is for what the bridge keeps, and for how long at the rate that it grows. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #journalGrowth = new Growth(LOOK_EVERY_MS, SAMPLES_KEPT);
  readonly #messageGrowth = new Growth(LOOK_EVERY_MS, SAMPLES_KEPT);
  readonly #backupGrowth = new Growth(LOOK_EVERY_MS, SAMPLES_KEPT);
  readonly #refuses: RepeatedError;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #disks: readonly DiskStatus[] = [];
  #low: ReadonlySet<string> = new Set();

  constructor(options: DiskWatchOptions) {
    this.#options = options;
    this.#refuses = new RepeatedError(options.log, options.clock, 'the room on a disk cannot be read', 'warn');
  }

  /** As last looked at, one for each filesystem; empty before the first look. */
  get disks(): readonly DiskStatus[] {
    return this.#disks;
  }

  /** When `journal.maxBytes` is reached at the present rate; undefined: it does not grow. */
  get journalFullInSeconds(): number | undefined {
    const { bytes, maxBytes } = this.#options.journal();
    const perSecond = this.#journalPerSecond;
    return perSecond === 0 ? undefined : Math.round(Math.max(0, (maxBytes - bytes) / perSecond));
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Looks at once. */
  async look(): Promise<void> {
    const { backupBytes, directories, journal, room } = this.#options;
    this.#journalGrowth.add(journal().bytes);
    this.#messageGrowth.add(journal().messages);
    this.#backupGrowth.add(backupBytes());
    try {
      const byDevice = new Map<number, { room: DiskRoom; directories: DiskDirectory[] }>();
      for (const directory of ['journal.dir', 'backup.dir'] as const) {
        const found = await room(directories[directory]);
        const disk = byDevice.get(found.device) ?? { room: found, directories: [] };
        disk.directories.push(directory);
        byDevice.set(found.device, disk);
      }
      this.#disks = [...byDevice.values()].map((each) => this.#judge(each.directories, each.room));
      this.#refuses.over();
      this.#tell();
    } catch (error) {
      this.#refuses.report({ error });
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.look();
      await sleep(this.#options.clock, LOOK_EVERY_MS, signal);
    }
  }

  /** What is settled stays for a while, up to a bound: that is no growth to be counted on. */
  get #journalPerSecond(): number {
    return this.#messageGrowth.perSecond === 0 ? 0 : this.#journalGrowth.perSecond;
  }

  #judge(directories: readonly DiskDirectory[], { freeBytes, totalBytes }: DiskRoom): DiskStatus {
    if (freeBytes < FULL_BYTES) return { directories, freeBytes, totalBytes, state: 'full' };
    const fullInSeconds = this.#fullIn(directories, freeBytes);
    const isLow = freeBytes < Math.min(LOW_SHARE * totalBytes, LOW_BYTES) || (fullInSeconds ?? Infinity) < LOW_SECONDS;
    const state = isLow ? 'low' : 'ok';
    return { directories, freeBytes, totalBytes, state, ...(fullInSeconds === undefined ? {} : { fullInSeconds }) };
  }

  /** The journal grows up to `maxBytes` only, from then on the backups alone. */
  #fullIn(directories: readonly DiskDirectory[], freeBytes: number): number | undefined {
    const { bytes, maxBytes } = this.#options.journal();
    const journal = directories.includes('journal.dir') ? this.#journalPerSecond : 0;
    const backups = directories.includes('backup.dir') ? this.#backupGrowth.perSecond : 0;
    if (journal + backups === 0) return undefined;
    const seconds = freeBytes / (journal + backups);
    const journalBytes = Math.max(0, maxBytes - bytes);
    if (journal * seconds <= journalBytes) return Math.round(seconds);
    return backups === 0 ? undefined : Math.round(Math.max(0, freeBytes - journalBytes) / backups);
  }

  /** Once, as it changes. */
  #tell(): void {
    const { log } = this.#options;
    const low = this.#disks.filter(({ state }) => state !== 'ok');
    for (const { directories, ...facts } of low) {
      const [key] = directories;
      if (!this.#low.has(key!))
        log.warn('little room is left on a disk', { directories: directories.join(), ...facts });
    }
    const now = new Set(low.map(({ directories }) => directories[0]!));
    for (const key of this.#low)
      if (!now.has(key as DiskDirectory)) log.info('a disk has room again', { directory: key });
    this.#low = now;
  }
}
