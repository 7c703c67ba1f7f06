import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import type { CancelTimer, Clock } from '../core/clock.ts';
import { coerceError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { printable } from '../core/printable.ts';

/** The notices' connection, as it is needed here. */
export interface NamesakePublisher {
  publish(topic: string, payload: string, options: { readonly retain: boolean }): Promise<void>;
  /** Called after each connect, when the subscriptions are made. */
  onConnect(listener: () => void): unknown;
  /** Stays in force over connections; on each, what is retained comes first. */
  subscribe(filter: string, listener: (topic: string, payload: Buffer) => void): unknown;
}

export interface NamesakeOptions {
  readonly publisher: NamesakePublisher;
  readonly bridgeId: string;
  /** `<base>/run` */
  readonly topic: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Another process that says it is this bridge. */
export interface Namesake {
  /** Tells a process from every other. */
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  /** How often it has said so: only a living process counts on. */
  readonly times: number;
}

/** Two that are both connected answer each other no faster. */
const ANSWER_AFTER_MS = 30_000;
/** Longer than the longest delay after which one that was thrown off the broker comes back. */
const FORGET_AFTER_MS = 600_000;
const MAX_TEXT = 100;
const MAX_OTHERS = 100;

/**
 * Finds out that two processes run as one bridge: by mistake, as members of a fleet that were given one `bridge.id`, or
 * as a gateway whose predecessor still runs. They clear each other's notices and, with one client id, throw each other
 * off the broker; in MQTT 3.1.1 the broker does not even say why it closes the connection.
 *
 * Each process publishes, retained, who it is: on each connect, and in answer to another one. Two with one client id
 * are never connected at the same time, but each finds what the other has retained when it comes back. Who speaks after
 * this process has spoken, and speaks again, lives: a predecessor does neither, whatever the memory of a broker that
 * was restored brings back.
 */
export class NamesakeWatch {
  readonly #options: NamesakeOptions;
  readonly #run = randomBytes(8).toString('hex');
  #times = 0;
  #saidAtMs: number | undefined;
  /** How often each other one had said it when it was last heard. */
  readonly #others = new Map<string, number>();
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #namesake: Namesake | undefined;
  #cancelAnswer: CancelTimer | undefined;
  #isStopped = false;

  constructor(options: NamesakeOptions) {
    this.#options = options;
  }

  start(): void {
    const { publisher, topic } = this.#options;
    publisher.subscribe(topic, (_topic, payload) => this.#heard(payload));
    publisher.onConnect(() => void this.#say());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelAnswer?.();
  }

  /** One sentence about the other bridge; undefined where there is none, and ten minutes after it was last heard of. */
  get problem(): string | undefined {
    const { bridgeId, clock } = this.#options;
    if (this.#namesake === undefined || clock.monotonic() - this.#heardAtMs > FORGET_AFTER_MS) return undefined;
    const { host, pid } = this.#namesake;
    return `Another bridge runs with the id ${bridgeId}: process ${pid} on ${printable(host)}.`;
  }

  async #say(): Promise<void> {
    const { clock, log, publisher, topic } = this.#options;
    this.#cancelAnswer?.();
    this.#cancelAnswer = undefined;
    if (this.#isStopped) return;
    const beganAtMs = clock.monotonic();
    this.#times += 1;
    const self: Namesake = { run: this.#run, host: hostname(), pid: process.pid, times: this.#times };
    try {
      await publisher.publish(topic, JSON.stringify(self), { retain: true });
      this.#saidAtMs = beganAtMs;
    } catch (error) {
      log.debug('could not say who this is', { topic, error: coerceError(error) });
    }
  }

  #heard(payload: Buffer): void {
    const other = parse(payload);
    if (other === undefined || other.run === this.#run || this.#saidAtMs === undefined) return;
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const before = this.#others.get(other.run) ?? Number.POSITIVE_INFINITY;
    if (this.#others.size >= MAX_OTHERS) this.#others.clear();
    this.#others.set(other.run, other.times);
    if (other.times > before) this.#found(other, nowMs);
    const waitMs = this.#saidAtMs + ANSWER_AFTER_MS - nowMs;
    this.#cancelAnswer ??= clock.setTimer(Math.max(0, waitMs), () => void this.#say());
  }

  #found(other: Namesake, nowMs: number): void {
    const { bridgeId, log } = this.#options;
    if (this.problem === undefined || this.#namesake?.run !== other.run) {
      const { host, pid } = other;
      const remedy = 'each bridge needs its own bridge.id and mqtt.clientId';
      log.error('another bridge runs with the same id', { bridgeId, host, pid, remedy });
    }
    this.#namesake = other;
    this.#heardAtMs = nowMs;
  }
}

function parse(payload: Buffer): Namesake | undefined {
  try {
    const { run, host, pid, times } = JSON.parse(payload.toString()) as Partial<Record<keyof Namesake, unknown>>;
    if (typeof run !== 'string' || typeof host !== 'string') return undefined;
    if (typeof pid !== 'number' || typeof times !== 'number') return undefined;
    return { run: run.slice(0, MAX_TEXT), host: host.slice(0, MAX_TEXT), pid, times };
  } catch {
    return undefined;
  }
}
