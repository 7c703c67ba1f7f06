// @ts-check
/**
 * The stream of the bridge's figures. When it breaks, `api/status` is asked: a bridge that answers (all streams taken,
 * a proxy that holds streams back) is shown by asking again and again; one that does not is gone. Both ways the stream
 * is tried again until it is back.
 */
import { readClock } from './clock.js';

/** Status comes each second: a stream that is silent for so long is dead. */
const SILENCE_MS = 4000;
const ANSWER_WITHIN_MS = 3000;
const TRY_AGAIN_MS = 1500;

/** @typedef {import('../status.ts').Status} Status */
/**
 * @typedef {{ state: 'live' | 'asking' | 'gone', sinceMs: number, figuresOfMs: number }} Link `figuresOfMs` 0: there
 *   are none yet
 */
/**
 * @typedef {object} Listeners
 * @property {(status: Status) => void} status
 * @property {(files: readonly object[]) => void} backups
 * @property {(sample: readonly (number | null)[]) => void} sample
 * @property {(link: Link) => void} link
 * @property {() => void} opened each time that the bridge is there, for what is fetched
 */

export class Live {
  /** @type {EventSource | undefined} */
  #source;
  #silence = 0;
  #figuresOfMs = 0;
  /** @type {Link['state'] | undefined} */
  #state;
  #sinceMs = 0;
  /** @readonly */
  #on;

  /** @param {Listeners} on */
  constructor(on) {
    this.#on = on;
  }

  start() {
    const source = new EventSource('api/events');
    this.#source = source;
    this.#listenFor(SILENCE_MS);
    /** @param {string} name @param {(data: any) => void} take */
    const hear = (name, take) =>
      source.addEventListener(name, (event) => {
        if (source !== this.#source) return;
        this.#listenFor(SILENCE_MS);
        take(JSON.parse(event.data));
      });
    hear('status', (status) => this.#show('live', status));
    hear('backups', this.#on.backups);
    hear('sample', this.#on.sample);
    source.addEventListener('error', () => {
      if (source === this.#source) void this.#fail();
    });
  }

  /** @param {number} forMs */
  #listenFor(forMs) {
    clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => void this.#fail(), forMs);
  }

  async #fail() {
    const brokenAtMs = Date.now();
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = undefined;
    try {
      const status = /** @type {Status} */ (await ask('api/status'));
      this.#show('asking', status);
      this.#on.backups(/** @type {object[]} */ (await ask('api/backups')));
    } catch {
      this.#tell('gone', brokenAtMs);
    }
    setTimeout(() => this.start(), TRY_AGAIN_MS);
  }

  /** @param {Link['state']} state @param {Status} status */
  #show(state, status) {
    const wasThere = this.#state !== undefined && this.#state !== 'gone';
    this.#figuresOfMs = Date.now();
    this.#on.status(status);
    this.#tell(state);
    if (!wasThere) this.#on.opened();
  }

  /** @param {Link['state']} state @param {number} [sinceMs] */
  #tell(state, sinceMs = Date.now()) {
    if (state !== this.#state) this.#sinceMs = sinceMs;
    this.#state = state;
    this.#on.link({ state, sinceMs: this.#sinceMs, figuresOfMs: this.#figuresOfMs });
  }
}

/**
 * What the bridge answers to GET, as JSON. Throws when it does not answer in time, or not with 200.
 * @param {string} path relative to the page
 * @returns {Promise<any>}
 */
export async function ask(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  readClock(response);
  return response.json();
}
