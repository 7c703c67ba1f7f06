import { withDeadline, type CancelTimer, type Clock } from '../core/clock.ts';
import { iso } from './destination-status.ts';
import { diskOfJournal } from './disk-watch.ts';
import type { KeptOutage, OutageFile } from './outage-file.ts';
import { signsOf, type Sign, type SignSources } from './outage-signs.ts';
import { shortText } from './short-text.ts';
import type { Outage } from './status.ts';

export interface OutagesOptions {
  /** Asked from `start` on. */
  readonly sources: () => SignSources;
  readonly file: Pick<OutageFile, 'read' | 'settled' | 'want' | 'write'>;
  readonly clock: Clock;
}

/** Something fails, and is perhaps not out yet. */
interface Trouble {
  readonly beganMs: number;
  /** When that was by the clock that never goes back. */
  readonly beganMonotonicMs: number;
  readonly backedUpBefore?: number;
}

/** An outage that lasts. */
interface Open {
  readonly outage: KeptOutage;
  readonly beganMonotonicMs: number;
  rowsBackedUp: number | undefined;
}

const LOOK_EVERY_MS = 1000;
/** A batch that is taken at its second or third try was no outage. */
const FAILING_MS = 5000;
/** Of each thing that can be out, and of all together: what flaps does not push out what else there was. */
const KEPT_OF_ONE = 50;
const KEPT = 200;
const MAX_REASON_LENGTH = 200;
const STOP_WITHIN_MS = 2000;

/**
 * When the broker, Oracle by destination and the journal were out, how long and why, over restarts and `kill -9`.
 *
 * Looked for once a second in what the status shows, so that nothing on the way of a value waits for it. The file is
 * written when an outage begins and when it ends. An outage that lasts when the bridge ends goes on with the next start
 * where that finds the same thing out again, else it ends there.
 */
export class Outages {
  readonly #options: OutagesOptions;
  readonly #open = new Map<string, Open>();
  readonly #troubles = new Map<string, Trouble>();
  /** What each destination had counted as backed up when it was last not in trouble. */
  readonly #backedUp = new Map<string, number | undefined>();
  /** Those that are over, in the order of their ends. */
  #over: readonly KeptOutage[] = [];
  #cancel: CancelTimer = () => {};
  #isStopped = false;

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  /** Those that are known, the newest first; how long those last that are not over is as of now. */
  get all(): readonly Outage[] {
    return this.#known
      .map((outage) => {
        const { backedUpBefore, ...shown } = outage;
        return backedUpBefore === undefined ? outage : shown;
      })
      .sort((a, b) => Date.parse(b.began) - Date.parse(a.began));
  }

  /** Reads what an earlier run left and looks from then on; nobody has to wait for it. */
  start(): void {
    void this.#begin();
  }

  /** To be called before anything is stopped, which would look like an outage. Takes 2 s at most; never throws. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    const { clock, file } = this.#options;
    await withDeadline(clock, STOP_WITHIN_MS, 'the history of outages', file.settled()).catch(() => {});
  }

  /** Looks at once. */
  look(): void {
    const sources = this.#options.sources();
    const signs = new Map(signsOf(sources).map((sign) => [keyOf(sign), sign]));
    let isChanged = false;
    for (const [key, sign] of signs) isChanged = this.#take(key, sign) || isChanged;
    for (const key of this.#open.keys()) {
      // Of a destination that the configuration no longer names.
      if (!signs.has(key)) isChanged = this.#end(key, this.#options.clock.now()) || isChanged;
    }
    const { file } = this.#options;
    if (isChanged) file.want(this.#known);
    if (hasRoom(sources)) file.write();
  }

  get #known(): KeptOutage[] {
    return [...this.#over, ...Array.from(this.#open.values(), (open) => this.#present(open))];
  }

  async #begin(): Promise<void> {
    const known = await this.#options.file.read();
    const { clock } = this.#options;
    for (const outage of known) {
      if (outage.ended !== undefined) continue;
      const beganMonotonicMs = clock.monotonic() - (clock.now() - Date.parse(outage.began));
      this.#open.set(keyOf(outage), {
        outage: { ...outage, restarted: true },
        beganMonotonicMs,
        rowsBackedUp: outage.rowsBackedUp,
      });
    }
    this.#over = trimmed(known.filter(({ ended }) => ended !== undefined));
    this.#lookOn();
  }

  #lookOn(): void {
    if (this.#isStopped) return;
    this.look();
    this.#cancel = this.#options.clock.setTimer(LOOK_EVERY_MS, () => this.#lookOn());
  }

  /** True when an outage began or ended. */
  #take(key: string, sign: Sign): boolean {
    const open = this.#open.get(key);
    if (open !== undefined) countRows(open, sign);
    if (sign.state === 'well' || sign.state === 'unknown') this.#backedUp.set(key, sign.backedUp);
    if (sign.state === 'well') {
      this.#troubles.delete(key);
      return this.#end(key, sign.sinceMs ?? this.#options.clock.now());
    }
    if (sign.state === 'unknown' || open !== undefined) return false;
    const trouble = this.#troubles.get(key) ?? this.#troubleBy(key, sign);
    this.#troubles.set(key, trouble);
    const isLong = this.#options.clock.monotonic() - trouble.beganMonotonicMs >= FAILING_MS;
    if (sign.state === 'failing' && !isLong) return false;
    this.#troubles.delete(key);
    const opening = openingOf(sign, trouble);
    countRows(opening, sign);
    this.#open.set(key, opening);
    return true;
  }

  #troubleBy(key: string, { backedUp, sinceMs }: Sign): Trouble {
    const nowMs = this.#options.clock.now();
    const beganMs = sinceMs ?? nowMs;
    const before = this.#backedUp.get(key) ?? backedUp;
    return {
      beganMs,
      beganMonotonicMs: this.#options.clock.monotonic() - Math.max(0, nowMs - beganMs),
      ...(before === undefined ? {} : { backedUpBefore: before }),
    };
  }

  /** True when there was one. */
  #end(key: string, endedMs: number): boolean {
    const open = this.#open.get(key);
    if (open === undefined) return false;
    this.#open.delete(key);
    const agoMs = Math.max(0, this.#options.clock.now() - endedMs);
    const outage = this.#present(open, this.#options.clock.monotonic() - agoMs);
    this.#over = trimmed([...this.#over, { ...outage, ended: iso(endedMs) }]);
    return true;
  }

  /** As it is now, or was at `atMs` of the monotonic clock. */
  #present({ beganMonotonicMs, outage, rowsBackedUp }: Open, atMs = this.#options.clock.monotonic()): KeptOutage {
    const seconds = Math.max(0, Math.round((atMs - beganMonotonicMs) / 1000));
    return { ...outage, seconds, ...(rowsBackedUp === undefined ? {} : { rowsBackedUp }) };
  }
}

function openingOf({ code, destination, of, reason }: Sign, trouble: Trouble): Open {
  const { backedUpBefore, beganMonotonicMs, beganMs } = trouble;
  const outage: KeptOutage = {
    of,
    ...(destination === undefined ? {} : { destination }),
    began: iso(beganMs),
    seconds: 0,
    ...(code === undefined ? {} : { code }),
    reason: shortText(reason.replaceAll(/\s+/g, ' ').trim(), MAX_REASON_LENGTH),
    ...(backedUpBefore === undefined ? {} : { backedUpBefore }),
  };
  return { outage, beganMonotonicMs, rowsBackedUp: undefined };
}

function countRows(open: Open, { backedUp }: Sign): void {
  const { backedUpBefore } = open.outage;
  if (backedUp === undefined || backedUpBefore === undefined) return;
  open.rowsBackedUp = Math.max(0, backedUp - backedUpBefore);
}

/** A disk that is full or fails has better things to write. */
function hasRoom({ disks, journal }: SignSources): boolean {
  const { fullBy, state } = journal();
  return state !== 'failing' && fullBy !== 'disk' && diskOfJournal(disks())?.state !== 'full';
}

/** The latest. */
function trimmed(outages: readonly KeptOutage[]): readonly KeptOutage[] {
  const counts = new Map<string, number>();
  const kept = outages.toReversed().filter((outage) => {
    const count = (counts.get(keyOf(outage)) ?? 0) + 1;
    counts.set(keyOf(outage), count);
    return count <= KEPT_OF_ONE;
  });
  return kept.slice(0, KEPT).reverse();
}

function keyOf({ destination, of }: Pick<Outage, 'of' | 'destination'>): string {
  return destination === undefined ? of : `${of} ${destination}`;
}
