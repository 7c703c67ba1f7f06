import { join } from 'node:path';

import type { Config } from './config/config.ts';
import { fillSubscription } from './config/kinds/subscription-fields.ts';
import { destinationsNamedBy, toDefault } from './config/row-targets.ts';
import { sleep, type Clock } from './core/clock.ts';
import type { FileSystem } from './core/filesystem.ts';
import { RepeatedError, type Logger } from './core/logger.ts';
import type { Message } from './core/message.ts';
import type { Reserve } from './core/reserve.ts';
import type { TagValues } from './core/tag-values.ts';
import type { CheckpointCompanion } from './journal/checkpoint-writer.ts';
import type { DetailNeeds } from './core/value-details.ts';
import { JOURNAL_FILES } from './journal/file-names.ts';
import type { Journal } from './journal/journal.ts';
import { createDecoder, type Decoder } from './payload/decoder.ts';
import type { DecodeOutcome } from './payload/format.ts';
import type { FormatMemory } from './payload/format-memory.ts';
import { ExceptionFilter } from './payload/filter/exception-filter.ts';
import { RetainedMemory } from './payload/retained-memory.ts';
import { RouteHistory } from './payload/route-history.ts';
import { Rebirths } from './payload/sparkplug/rebirths.ts';

export type Subscriptions = Config['mqtt']['subscriptions'];

export interface MessageReadingParts {
  /** What is kept of messages for further columns. */
  readonly keeps: DetailNeeds;
  readonly journalDir: string;
  readonly reserve: Reserve;
  readonly formatMemory: FormatMemory;
  readonly fileSystem: FileSystem;
  /** Publishes a command to an edge node of Sparkplug; rejects where there is no connection. */
  readonly sendCommand: (topic: string, payload: Buffer) => Promise<void>;
  /** Takes in a message of the bridge's own. */
  readonly inject: (topic: string, payload: Buffer) => void;
  readonly clock: Clock;
  /** Makes a logger for a stage. */
  readonly logOf: (stage: string) => Logger;
}

const RETRY_MS = 1_000;

/**
 * How messages of the journal become values: by the subscriptions that were valid when they came, with what is known of
 * earlier messages. When the subscriptions change, `take` holds back the messages behind the change until that is
 * durable.
 */
export class MessageReading {
  readonly #parts: MessageReadingParts;
  readonly #retained: RetainedMemory;
  readonly #rebirths: Rebirths;
  readonly #decoder: Decoder;
  readonly #history: RouteHistory;
  readonly #filter: ExceptionFilter;
  readonly #changeFails: RepeatedError;
  #subscriptions: Subscriptions;
  /** From this message on other subscriptions are to be used; Infinity: the latest are. */
  #switchAt = Infinity;
  #changing: Promise<void> | undefined;
  /** Of changes that are not durable yet, in their order: from which message on they say how it is to be read. */
  readonly #unnoted: number[] = [];
  /** Taken from the journal, and not given on. */
  #heldBack: readonly Message[] = [];
  /** Since when each topic filter is subscribed to, by the wall clock. */
  #filtersSince: ReadonlyMap<string, number> = new Map();

  constructor(subscriptions: Subscriptions, tagName: string, parts: MessageReadingParts) {
    const { clock, fileSystem, formatMemory, inject, journalDir, keeps, logOf, reserve, sendCommand } = parts;
    this.#parts = parts;
    this.#subscriptions = subscriptions;
    this.#noteFilters();
    const common = { reserve, fileSystem, log: logOf('journal') };
    this.#retained = new RetainedMemory({ ...common, path: join(journalDir, JOURNAL_FILES.retained) });
    this.#history = new RouteHistory({
      ...common,
      path: join(journalDir, JOURNAL_FILES.routes),
      complete: (route) => fillSubscription(route),
    });
    this.#rebirths = new Rebirths({ send: sendCommand, inject, clock, log: logOf('sparkplug') });
    this.#filter = new ExceptionFilter(subscriptions);
    this.#changeFails = new RepeatedError(logOf('payload'), clock, 'changed subscriptions could not be noted');
    this.#decoder = createDecoder(subscriptions, tagName, {
      memory: formatMemory,
      nodeCommands: this.#rebirths,
      stored: this.#retained,
      keeps,
    });
  }

  /** What has to be durable before a checkpoint. */
  get companions(): readonly CheckpointCompanion[] {
    const saved = (settledNo: number): Promise<void> => Promise.resolve(this.#reach(settledNo + 1));
    return [{ save: () => this.#retained.save(), saved }, this.#history];
  }

  /** Takes up what an earlier run left, and notes what has changed since. Throws the system error of the disk. */
  async start(journal: Journal, signal: AbortSignal): Promise<void> {
    await this.#retained.start(journal.id, journal.lastNo);
    await this.#history.start(journal.id, journal.settledNo, journal.lastNo);
    this.#decoder.resume(journal.lastNo);
    this.#filter.resume(journal.lastNo);
    if (journal.status.messages > 0) {
      // What comes late of a former topic was read by its former route.
      for (const routes of this.#history.through(journal.settledNo + 1)) this.#decoder.useRoutes(routes);
      this.#switchTo(journal.settledNo + 1);
    }
    const isFirst = this.#history.isEmpty;
    // A version that knew no destinations may have written some of what it left, and to the default one.
    const former = isFirst && journal.checkpoint?.knowsLanes === false ? toDefault(this.#subscriptions) : undefined;
    const from = isFirst && former === undefined ? 0 : journal.lastNo + 1;
    this.#changing = this.#note(this.#subscriptions, from, signal, former);
  }

  /** The destinations that messages of the journal may be for. */
  get destinations(): readonly string[] {
    return this.#history.open.flatMap((route) => destinationsNamedBy(fillSubscription(route)));
  }

  /**
   * The next messages of the journal, as `Journal.take` gives them, that may be decoded. Those that came after a change
   * wait until that is durable; those before do not, as a full disk may have no room for it until they are settled.
   */
  async take(journal: Pick<Journal, 'take'>, signal: AbortSignal): Promise<readonly Message[]> {
    const taken = this.#heldBack.length > 0 ? this.#heldBack : await journal.take(signal);
    this.#heldBack = [];
    const from = Math.min(...this.#unnoted);
    const before = taken.findIndex(({ number }) => number >= from);
    if (before === 0) await this.noted();
    if (before <= 0) return taken;
    this.#heldBack = taken.slice(before);
    return taken.slice(0, before);
  }

  /** Resolves when it is durable how the messages are to be read that come from now on, or on abort. */
  async noted(): Promise<void> {
    await this.#changing;
  }

  /** As `Decoder.decode`. To be called in the order of the journal. */
  decode(message: Message, into: TagValues): DecodeOutcome {
    this.#reach(message.number);
    return this.#decoder.decode(message, into);
  }

  /** Takes out of the values of a message that was just decoded what has hardly changed. */
  leaveOut(message: Message, values: TagValues): void {
    if (this.#filter.isNeeded) this.#filter.apply(message, this.#decoder.routeOf(message.topic), values);
  }

  hasOwnTime(topic: string, payload: Buffer): boolean {
    return this.#decoder.hasOwnTime(topic, payload);
  }

  /** As configured now. */
  get subscriptions(): Subscriptions {
    return this.#subscriptions;
  }

  /** The subscriptions that have brought no message since they are there, in this run. */
  get silent(): readonly { readonly topic: string; readonly sinceMs: number }[] {
    if (this.#switchAt !== Infinity) return [];
    return this.#decoder.silentFilters().map((topic) => ({ topic, sinceMs: this.#filtersSince.get(topic) ?? 0 }));
  }

  /** From the next message on that the journal takes in, it is read by these subscriptions. */
  change(subscriptions: Subscriptions, journal: Journal, signal: AbortSignal): void {
    this.#subscriptions = subscriptions;
    this.#noteFilters();
    this.#changing = this.#note(subscriptions, journal.lastNo + 1, signal);
  }

  /** Throws the system error of the disk: what is not kept is stored once more by the next session. */
  async stop(): Promise<void> {
    this.#rebirths.stop();
    await this.#changing;
  }

  /** What is not kept is stored once more by the next session. */
  async keepRetained(): Promise<void> {
    try {
      await this.#retained.stop();
    } catch (error) {
      this.#parts.logOf('journal').warn('what is known of retained messages could not be kept', { error });
    }
  }

  /**
   * One change after the other, also where the next one comes while the disk refuses: messages came under each.
   * `former`: how the messages before `from` are to be read, where nothing was noted of them.
   */
  async #note(subscriptions: Subscriptions, from: number, signal: AbortSignal, former?: Subscriptions): Promise<void> {
    const first = former === undefined ? from : 0;
    this.#unnoted.push(first);
    await this.#changing;
    while (!signal.aborted && !this.#history.isCurrent(subscriptions)) {
      try {
        await this.#history.change(subscriptions, from, former);
        this.#changeFails.over();
        this.#switchAt = Math.min(this.#switchAt, first);
      } catch (error) {
        this.#changeFails.report({ error });
        await sleep(this.#parts.clock, RETRY_MS, signal);
      }
    }
    if (!signal.aborted) this.#unnoted.shift();
  }

  /** All messages before this one were read. */
  #reach(messageNo: number): void {
    if (messageNo >= this.#switchAt) this.#switchTo(messageNo);
  }

  #switchTo(messageNo: number): void {
    const routes = this.#history.at(messageNo) ?? this.#subscriptions;
    this.#decoder.useRoutes(routes);
    this.#filter.useRoutes(routes);
    this.#switchAt = this.#history.nextFrom(messageNo);
  }

  #noteFilters(): void {
    const now = this.#parts.clock.now();
    this.#filtersSince = new Map(this.#subscriptions.map(({ topic }) => [topic, this.#filtersSince.get(topic) ?? now]));
  }
}
