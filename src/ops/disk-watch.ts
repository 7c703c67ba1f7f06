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
/** Once it was low: a forecast is never the same twice. */
const WELL_SECONDS = 36 * 3600;

/** How much room there is for what the bridge keeps, and for how long at the rate that it grows. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #journalGrowth = new Growth(LOOK_EVERY_MS, SAMPLES_KEPT);
  readonly #messageGrowth = new Growth(LOOK_EVERY_MS, SAMPLES_KEPT);
  readonly #backupGrowth = new Growth(LOOK_EVERY_MS, SAMPLES_KEPT);
  readonly #refuses: RepeatedError;
  readonly #stopping = new AbortController();
  #disks: readonly DiskStatus[] = [];
  #told: ReadonlyMap<string, DiskStatus['state']> = new Map();

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
    void this.#run();
  }

  /** A disk that does not answer is not waited for. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Looks at once. */
  async look(): Promise<void> {
    const { backupBytes, directories, journal, room } = this.#options;
    this.#journalGrowth.add(journal().bytes);
    this.#messageGrowth.add(journal().messages);
    this.#backupGrowth.add(backupBytes());
    const byDevice = new Map<number, { room: DiskRoom; directories: DiskDirectory[] }>();
    let isRefused = false;
    for (const directory of ['journal.dir', 'backup.dir'] as const) {
      try {
        const found = await room(directories[directory]);
        if (found.totalBytes === 0) continue; // a filesystem that does not tell
        const disk = byDevice.get(found.device) ?? { room: found, directories: [] };
        disk.directories.push(directory);
        byDevice.set(found.device, disk);
      } catch (error) {
        isRefused = true;
        if (!this.#stopping.signal.aborted) this.#refuses.report({ directory, error });
      }
    }
    if (this.#stopping.signal.aborted) return;
    if (!isRefused) this.#refuses.over();
    this.#disks = [...byDevice.values()].map((each) => this.#judge(each.directories, each.room));
    this.#tell();
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
    return this.#messageGrowth.isSteady ? this.#journalGrowth.perSecond : 0;
  }

  #judge(directories: readonly DiskDirectory[], { freeBytes, totalBytes }: DiskRoom): DiskStatus {
    if (freeBytes < FULL_BYTES) return { directories, freeBytes, totalBytes, state: 'full' };
    const fullInSeconds = this.#fullIn(directories, freeBytes);
    const wasLow = this.#disks.some((disk) => disk.state === 'low' && disk.directories[0] === directories[0]);
    const isRoomShort = freeBytes < Math.min(LOW_SHARE * totalBytes, LOW_BYTES);
    const isLow = isRoomShort || (fullInSeconds ?? Infinity) < (wasLow ? WELL_SECONDS : LOW_SECONDS);
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
    const now = new Map(this.#disks.map(({ directories, state }) => [directories.join(), state]));
    for (const { directories, ...facts } of this.#disks) {
      const which = directories.join();
      const before = this.#told.get(which) ?? 'ok';
      if (facts.state === before) continue;
      if (facts.state === 'ok') log.info('a disk has room again', { directories: which, ...facts });
      else if (facts.state === 'low') log.warn('little room is left on a disk', { directories: which, ...facts });
      else log.error('a disk is full', { directories: which, ...facts });
    }
    this.#told = now;
  }
}

/** The journal's, as last looked at, perhaps while there was room yet; undefined: not yet, or it does not tell. */
export function diskOfJournal(disks: readonly DiskStatus[]): DiskStatus | undefined {
  return disks.find(({ directories }) => directories.includes('journal.dir'));
}
