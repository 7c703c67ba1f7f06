import { withDeadline, type CancelTimer, type Clock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { filtersOverlap, isShared } from '../../core/topic-filter.ts';
import { tryBrokerTopics, type TrialPlace } from './broker-trial.ts';
import { NO_TOPICS, type TopicManners } from './manners.ts';

/** Which broker the intake is connected to, and how. */
export interface PresentBroker {
  readonly connected: boolean;
  readonly url: string;
  readonly protocolVersion: 4 | 5;
}

export interface MannersWatchOptions extends Omit<TrialPlace, 'url' | 'protocolVersion'> {
  readonly subscriptions: readonly { readonly topic: string }[];
  /** The bridge publishes notices, whose topics have dots in them. */
  readonly hasNotices: boolean;
  readonly present: () => PresentBroker;
  readonly log: Logger;
  readonly clock: Clock;
}

/** What the broker does with this configuration that nobody would notice, and what to do about it. */
export interface MannersProblem {
  readonly problem: string;
  readonly remedy: string;
}

/** How often it looks whether a trial is due; the first comes so long after the start. */
const LOOK_INTERVAL_MS = 5000;
const AGAIN_AFTER_MS = 86_400_000;
/** After a trial that came to nothing: a broker that was about to stop, say. */
const RETRY_AFTER_MS = 600_000;
const TRIAL_DEADLINE_MS = 60_000;

/**
 * Tries, beside the running intake, whether the broker knows `$share` and delivers topics with dots: where it does not,
 * values are lost in silence, for it grants the subscriptions all the same.
 *
 * Once after the first connect, again with another broker and after a day, with clients and topics of its own: see
 * broker-trial.ts. What cannot be tried is no problem: it is logged at the level debug. Each problem is logged when it
 * is found first.
 */
export class MannersWatch {
  readonly #options: MannersWatchOptions;
  readonly #abort = new AbortController();
  readonly #logged = new Set<string>();
  #topics: readonly string[];
  #manners: TopicManners = NO_TOPICS;
  /** The URL of the broker that was tried last. */
  #url: string | undefined;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #cancelLook: CancelTimer = () => {};
  #trial: Promise<void> = Promise.resolve();

  constructor(options: MannersWatchOptions) {
    this.#options = options;
    this.#topics = options.subscriptions.map(({ topic }) => topic);
  }

  start(): void {
    this.#lookLater();
  }

  /** Other subscriptions are wanted from now on. */
  want(subscriptions: readonly { readonly topic: string }[]): void {
    this.#topics = subscriptions.map(({ topic }) => topic);
    this.#say();
  }

  /** Ends a trial that is under way; takes 2 s at most. */
  async stop(): Promise<void> {
    this.#cancelLook();
    this.#abort.abort();
    await this.#trial;
  }

  get problems(): readonly MannersProblem[] {
    return problemsOf(this.#manners, this.#topics, this.#options.hasNotices);
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.clock.setTimer(LOOK_INTERVAL_MS, () => {
      this.#trial = this.#look().finally(() => {
        if (!this.#abort.signal.aborted) this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const { baseTopic, clock, present } = this.#options;
    const { connected, protocolVersion, url } = present();
    const isDue = url !== this.#url || clock.monotonic() >= this.#dueAtMs;
    if (!connected || !isDue) return;
    // Its own messages must not be taken for values.
    if (this.#topics.some((topic) => filtersOverlap(topic, `${baseTopic}/probe/#`))) return;
    if (url !== this.#url) this.#manners = NO_TOPICS;
    this.#url = url;
    this.#dueAtMs = clock.monotonic() + RETRY_AFTER_MS;
    await this.#try({ ...this.#options, protocolVersion, url });
    this.#say();
  }

  async #try(place: TrialPlace): Promise<void> {
    const { clock, log } = this.#options;
    const over = new AbortController();
    const stop = (): void => over.abort();
    this.#abort.signal.addEventListener('abort', stop, { once: true });
    try {
      const trial = tryBrokerTopics(place, over.signal);
      const { manners, refusal } = await withDeadline(clock, TRIAL_DEADLINE_MS, 'trying the broker', trial);
      // One that was interrupted says of what it did not see that it did not come.
      if (over.signal.aborted) return;
      this.#dueAtMs = clock.monotonic() + AGAIN_AFTER_MS;
      if (refusal !== '') {
        log.debug('what the broker does with topics could not be tried', { reason: refusal });
        return;
      }
      const { dot, plusWithDot, shared } = manners;
      log.debug('tried what the broker does with topics', { shared, plusWithDot, dot });
      this.#manners = manners;
    } catch (thrown) {
      log.debug('what the broker does with topics could not be tried', { error: coerceError(thrown) });
    } finally {
      over.abort();
      this.#abort.signal.removeEventListener('abort', stop);
    }
  }

  #say(): void {
    for (const { problem, remedy } of this.problems) {
      if (this.#logged.has(problem)) continue;
      this.#logged.add(problem);
      this.#options.log.warn('broker has its own way with topics', { problem, remedy });
    }
  }
}

function problemsOf(
  { dot, plusWithDot, shared }: TopicManners,
  topics: readonly string[],
  hasNotices: boolean,
): MannersProblem[] {
  const found: MannersProblem[] = [];
  const ofGroups = topics.filter((topic) => isShared(topic)).join(', ');
  const withPlus = topics.filter((topic) => topic.split('/').includes('+')).join(', ');
  if (ofGroups !== '' && shared === 'nothing') {
    found.push({
      problem: `The broker takes ${ofGroups} as an ordinary topic, not as a shared subscription: nothing comes.`,
      remedy: SHARED_REMEDY,
    });
  }
  if (ofGroups !== '' && shared === 'copied') {
    found.push({
      problem: `The broker gives each message of ${ofGroups} to every member of the group: several bridges write it several times.`,
      remedy: SHARED_REMEDY,
    });
  }
  if (withPlus !== '' && plusWithDot === false) {
    found.push({
      problem: `For the broker + does not stand for a level with a dot: what comes on such topics is lost in silence (${withPlus}).`,
      remedy:
        'See to it that no level of a topic has a dot, or end the filters in mqtt.subscriptions with # instead of +.',
    });
  }
  if (hasNotices && dot !== undefined && dot !== 'kept') {
    found.push({
      problem: 'The broker changes topics with a dot: the notices of files do not arrive under their names.',
      remedy: 'Let whoever reads the notices go by their field "file". The bridge itself clears them rightly.',
    });
  }
  return found;
}

const SHARED_REMEDY =
  'Subscribe without $share/<group>/, with one bridge only, or use a broker that knows the shared subscriptions of MQTT 5.';
