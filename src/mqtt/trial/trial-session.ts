import type { SessionManners } from './manners.ts';
import { endSession, TrialClient, type Arrival } from './trial-client.ts';
import type { TrialClientOptions } from './trial-options.ts';
import { SURE_MS, type TrialGround } from './trial-topics.ts';

/** More than the window of any broker that has a small one. */
const WINDOW_MESSAGES = 60;
/** Left unacknowledged when the connection is cut. */
const PENDING = 5;
const ABSENT = 2;
const NEW = 3;
/** A broker that counts may pass over some; one that begins anew somewhere is hardly ever so near. */
const MAX_ID_STEP = 200;
/** Longer than a broker pauses between two messages that it may send. */
const QUIET_MS = 600;
/** A broker that has kept the session may send again by a timer of some seconds. */
const AGAIN_MS = 8000;
/** What the broker needs to keep the session of the trial for, should the trial not come to its end. */
const TRIAL_SESSION_SECONDS = 120;

export interface SessionTrialOptions {
  readonly sessionSeconds: number;
  readonly receiveMaximum: number;
  /** How many messages may be under way towards the broker. */
  readonly publishAtOnce: number;
}

/**
 * A session of QoS 1 over a lost connection: how many messages come unacknowledged, under which packet ids, and which
 * of them come again, how, when the connection was cut and the session is there again. Throws BrokerProbeError.
 *
 * The session is ended by a last connection that does not keep it.
 */
export async function trySession(ground: TrialGround, options: SessionTrialOptions): Promise<SessionManners> {
  const trial = new SessionTrial(ground, options);
  try {
    return await trial.run();
  } finally {
    await trial.end();
  }
}

class SessionTrial {
  readonly #ground: TrialGround;
  readonly #options: SessionTrialOptions;
  readonly #topic: string;
  readonly #clientId: string;
  readonly #opened: TrialClient[] = [];

  constructor(ground: TrialGround, options: SessionTrialOptions) {
    this.#ground = ground;
    this.#options = options;
    this.#topic = `${ground.topic}/q`;
    this.#clientId = `${ground.clientId}-q`;
  }

  async run(): Promise<SessionManners> {
    const expirySeconds = await this.#askExpiry();
    const publisher = await this.#open({ clientId: `${this.#clientId}-p` });
    const before = await this.#openSession('withheld');
    const qos = await before.subscribe(this.#topic, 1);
    if (qos !== 1) return { ...UNKNOWN, expirySeconds, qos };
    await before.leave();
    await this.#publish(publisher, 'window', WINDOW_MESSAGES);
    const first = await this.#openSession('withheld');
    if (!first.sessionPresent) return { ...UNKNOWN, expirySeconds, qos, kept: false };
    const window = await this.#fill(first);
    await this.#publish(publisher, 'pending', PENDING);
    await first.until(() => withPrefix(first, 'pending').length >= PENDING, SURE_MS);
    first.demandConnection();
    const pending = withPrefix(first, 'pending');
    const ids = idsOf(first.arrivals);
    const within = isCounting(ids);
    first.cut();
    await this.#publish(publisher, 'absent', ABSENT);
    const { second, leaksWindow } = await this.#resume(pending.length);
    const known = new Set([...pending.map(({ text }) => text), ...texts('absent', ABSENT)]);
    const again = second.arrivals.filter(({ text }) => known.has(text));
    await this.#publish(publisher, 'new', NEW);
    await second.until(() => withPrefix(second, 'new').length >= NEW, SURE_MS);
    second.demandConnection();
    publisher.demandConnection();
    const fresh = [...withPrefix(second, 'absent'), ...withPrefix(second, 'new')];
    return {
      expirySeconds,
      qos: Math.min(qos, ...first.arrivals.map((arrival) => arrival.qos)),
      window,
      ids: idManner(within, ids.at(-1) ?? 0, idsOf(fresh)),
      highestId: Math.max(0, ...ids),
      kept: second.sessionPresent,
      ...redelivery(pending, again),
      queued:
        withPrefix(first, 'window').length === WINDOW_MESSAGES &&
        texts('absent', ABSENT).every((text) => again.some((arrival) => arrival.text === text)),
      leaksWindow,
    };
  }

  /** Ends what is open, and the session. Never throws. */
  async end(): Promise<void> {
    for (const client of this.#opened) await client.end();
    await endSession(this.#ground.way, this.#clientId);
  }

  /** Asks for the session that the bridge would have, and ends it at once: MQTT 5 says how long it would be kept. */
  async #askExpiry(): Promise<number | undefined> {
    if (this.#ground.way.protocolVersion === 4) return undefined;
    const { sessionSeconds } = this.#options;
    const clientId = `${this.#clientId}-e`;
    let isOver = false;
    try {
      const client = await this.#open({ clientId, sessionSeconds });
      const said = client.sessionExpirySeconds ?? sessionSeconds;
      const isConnected = client.connected;
      await client.end();
      isOver = isConnected && !this.#ground.way.signal.aborted;
      return said;
    } finally {
      if (!isOver) await endSession(this.#ground.way, clientId);
    }
  }

  /**
   * How many come without an acknowledgement; then all are acknowledged. They waited for the client: one that is there
   * when they are published gets the first alone on a broker that sends in batches.
   */
  async #fill(client: TrialClient): Promise<number> {
    await client.until(() => client.arrivals.length > 0, AGAIN_MS);
    await client.quiet(QUIET_MS, SURE_MS);
    const window = withPrefix(client, 'window').length;
    for (let done = 0; done < client.arrivals.length;) {
      const open = client.arrivals.slice(done);
      done = client.arrivals.length;
      client.acknowledge(open);
      await client.ping();
      const seen = done;
      if (withPrefix(client, 'window').length < WINDOW_MESSAGES)
        await client.until(() => client.arrivals.length > seen, SURE_MS);
    }
    return window;
  }

  /**
   * The same session again, all acknowledged as it comes. Room for no more than is pending: a broker that still counts
   * what was under way on the lost connection sends nothing, and so shows it; with more room it sends the rest.
   */
  async #resume(pending: number): Promise<{ readonly second: TrialClient; readonly leaksWindow: boolean | undefined }> {
    const isTold = this.#ground.way.protocolVersion === 5 && pending > 0;
    const second = await this.#openSession('all', isTold ? pending : this.#options.receiveMaximum);
    const hasAll = (client: TrialClient) => (): boolean =>
      new Set(client.arrivals.map(({ text }) => text)).size >= pending + ABSENT;
    const isComplete = await second.until(hasAll(second), second.sessionPresent ? AGAIN_MS : QUIET_MS);
    await second.quiet(QUIET_MS / 2, SURE_MS);
    if (isComplete || !isTold || !second.sessionPresent || second.arrivals.length > 0) {
      return { second, leaksWindow: isTold && isComplete ? false : undefined };
    }
    second.cut();
    const third = await this.#openSession('all', Math.min(65_535, this.#options.receiveMaximum + 10 * PENDING));
    await third.until(hasAll(third), SURE_MS);
    return { second: third, leaksWindow: third.arrivals.length > 0 };
  }

  #openSession(
    answers: TrialClientOptions['answers'],
    receiveMaximum = this.#options.receiveMaximum,
  ): Promise<TrialClient> {
    const sessionSeconds = TRIAL_SESSION_SECONDS;
    return this.#open({ clientId: this.#clientId, sessionSeconds, receiveMaximum, ...(answers && { answers }) });
  }

  async #open(options: TrialClientOptions): Promise<TrialClient> {
    const client = await TrialClient.open(this.#ground.way, options);
    this.#opened.push(client);
    return client;
  }

  async #publish(publisher: TrialClient, prefix: string, count: number): Promise<void> {
    const all = texts(prefix, count);
    for (let from = 0; from < count; from += this.#options.publishAtOnce) {
      const some = all.slice(from, from + this.#options.publishAtOnce);
      await Promise.all(some.map((text) => publisher.publish(this.#topic, text)));
    }
  }
}

const UNKNOWN: SessionManners = {
  expirySeconds: undefined,
  qos: undefined,
  window: undefined,
  ids: undefined,
  highestId: undefined,
  kept: undefined,
  unacknowledged: 0,
  cameAgain: 0,
  sameIds: undefined,
  flagged: undefined,
  inOrder: undefined,
  queued: undefined,
  leaksWindow: undefined,
};

type Redelivery = Pick<SessionManners, 'unacknowledged' | 'cameAgain' | 'sameIds' | 'flagged' | 'inOrder'>;

/** Holds what came again against what had been left unacknowledged. */
function redelivery(pending: readonly Arrival[], again: readonly Arrival[]): Redelivery {
  const pairs = pending.flatMap((before) => {
    const after = again.find(({ text }) => text === before.text);
    return after === undefined ? [] : [{ before, after }];
  });
  const places = pairs.map(({ after }) => again.indexOf(after));
  const none = pairs.length === 0;
  return {
    unacknowledged: pending.length,
    cameAgain: pairs.length,
    sameIds: none ? undefined : pairs.every(({ before, after }) => before.packetId === after.packetId),
    flagged: none ? undefined : pairs.every(({ after }) => after.dup),
    inOrder: none ? undefined : places.every((place, i) => i === 0 || place > places[i - 1]!),
  };
}

function idManner(isCountingWithin: boolean, highestId: number, fresh: readonly number[]): SessionManners['ids'] {
  if (!isCountingWithin) return 'reused';
  if (fresh.length === 0) return undefined;
  return isCounting([highestId, ...fresh]) ? 'counting' : 'restarting';
}

/** Each a little higher than the one before; from 65,535 it goes on at 1. */
function isCounting(ids: readonly number[]): boolean {
  return ids.every((id, i) => {
    const step = i === 0 ? 1 : (id - ids[i - 1]! + 0x1_0000) % 0x1_0000;
    return step > 0 && step <= MAX_ID_STEP;
  });
}

/** Without those that came again on the same connection. */
function idsOf(arrivals: readonly Arrival[]): number[] {
  const firsts = arrivals.filter(({ text }, i) => arrivals.findIndex((other) => other.text === text) === i);
  return firsts.map(({ packetId = 0 }) => packetId);
}

function withPrefix(client: TrialClient, prefix: string): Arrival[] {
  return client.arrivals.filter(
    ({ text }, i, all) => text.startsWith(`${prefix} `) && all.findIndex((other) => other.text === text) === i,
  );
}

function texts(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
}
