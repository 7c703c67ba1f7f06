import { createHash } from 'node:crypto';

import { DeadlineError, withDeadline, type CancelTimer, type Clock } from '../core/clock.ts';
import { ifThere } from '../core/durable-file.ts';
import { NotTakenError } from '../core/errors.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import { NoticeOutbox } from './notice-outbox.ts';

/** The second MQTT connection, as the notices need it. */
export interface NoticePublisher {
  readonly connected: boolean;
  /** Throws when there is no connection. */
  publish(topic: string, payload: string | Buffer, options: { readonly retain: boolean }): Promise<void>;
  /** Called after each connect. */
  onConnect(listener: () => void): unknown;
  /** Stays in force over connections; each brings the retained messages again. */
  subscribe(filter: string, listener: (topic: string, payload: Buffer, retain: boolean) => void): unknown;
}

/** What the notices look at of a file's facts, all of which they publish. */
export interface NoticeFacts {
  readonly file: string;
  readonly state: 'open' | 'sealed' | 'replaying';
  readonly bytes: number;
  /** Undefined while the file is open. */
  readonly sha256: string | undefined;
}

/** The files on disk, as the notices need them. */
export interface NoticeBackups {
  files(): readonly { readonly name: string }[];
  /** Undefined when there is no file of that name. */
  facts(name: string): NoticeFacts | undefined;
  /** The result ends that. */
  onChange(listener: (name: string) => void): () => void;
  /** Throws an Error with code ENOENT when there is no file of that name. */
  read(name: string): Promise<Buffer>;
}

/**
 * The topics that the broker may retain something on, over restarts. `remember` resolves when a crash can't make it
 * forgotten.
 */
export interface RetainedTopics {
  topics(): Promise<readonly string[]>;
  remember(topic: string): Promise<void>;
  forget(topic: string): Promise<void>;
}

export interface NoticesOptions {
  readonly publisher: NoticePublisher;
  readonly backups: NoticeBackups;
  readonly memory: RetainedTopics;
  readonly baseTopic: string;
  readonly bridgeId: string;
  /** 0: the CSV itself is never published. */
  readonly inlineCsvMaxBytes: number;
  /** What is published as health, as JSON. */
  readonly health: () => unknown;
  readonly clock: Clock;
  readonly log: Logger;
}

const HEALTH_INTERVAL_MS = 60_000;
const OPEN_FILE_INTERVAL_MS = 5_000;
const STOP_DEADLINE_MS = 2_000;
const CSV_LEVEL = '/csv';

/**
 * Keeps the broker's retained recovery notices, and the bridge's health, in line with the files on disk.
 *
 * Each connection starts from nothing known: all files are published, and what the broker retains shows by the
 * subscription. A retained message that is right counts as published; one that is wrong, or whose file is gone, is put
 * right. Messages without the retain flag are echoes of what was just published and mean nothing. As a broker may send
 * nothing for a wildcard, or without the flag, what was published is also remembered by name and put right on each
 * connection: before each publish that it may be there, after the empty one that it is not.
 */
export class Notices {
  readonly #options: NoticesOptions;
  readonly #recoveryTopic: string;
  readonly #healthTopic: string;
  readonly #outbox: NoticeOutbox;
  readonly #error: RepeatedError;
  readonly #memoryError: RepeatedError;
  /** By topic: the notice, or the CSV's SHA-256, that this connection's broker retains. */
  readonly #published = new Map<string, string>();
  /** When the notice of a file that is being written or replayed was last sent. */
  readonly #sentAtMs = new Map<string, number>();
  readonly #late = new Set<string>();
  #cancelLate: CancelTimer | undefined;
  #cancelHealth: CancelTimer = () => {};
  #stopListening = (): void => {};
  #isStopped = false;

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#recoveryTopic = `${options.baseTopic}/recovery/`;
    this.#healthTopic = `${options.baseTopic}/health`;
    this.#error = new RepeatedError(options.log, options.clock, 'notice could not be published', 'warn');
    this.#memoryError = new RepeatedError(
      options.log,
      options.clock,
      'notices not remembered for the next start',
      'warn',
    );
    this.#outbox = new NoticeOutbox({
      isConnected: () => options.publisher.connected,
      send: (topic) => this.#makeRight(topic),
      onError: (topic, error) => {
        // What the broker can't take was told by the publisher, once.
        if (!(error instanceof NotTakenError)) this.#error.report({ topic, error });
      },
    });
  }

  start(): void {
    const { backups, publisher } = this.#options;
    this.#stopListening = backups.onChange((name) => this.#fileChanged(name));
    publisher.onConnect(() => this.#connected());
    const onMessage = (topic: string, payload: Buffer, retain: boolean): void => {
      if (retain && payload.length > 0) this.#retainedSeen(topic, payload);
    };
    publisher.subscribe(`${this.#recoveryTopic}+`, onMessage);
    publisher.subscribe(`${this.#recoveryTopic}+${CSV_LEVEL}`, onMessage);
    if (publisher.connected) this.#connected();
    this.#healthLater();
  }

  /** Publishes what still waits, as far as two seconds allow. */
  async stop(): Promise<void> {
    this.#stopListening();
    this.#cancelHealth();
    this.#sendLate();
    try {
      await withDeadline(this.#options.clock, STOP_DEADLINE_MS, 'publishing the last notices', this.#outbox.whenIdle());
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      this.#error.report({ error });
    }
    this.#isStopped = true;
  }

  #connected(): void {
    if (this.#isStopped) return;
    this.#published.clear();
    this.#outbox.put(this.#healthTopic);
    for (const { name } of this.#options.backups.files()) this.#put(name);
    void this.#putRemembered();
  }

  async #putRemembered(): Promise<void> {
    const topics = await this.#options.memory.topics();
    if (!this.#isStopped) for (const topic of topics) this.#outbox.put(topic);
  }

  #fileChanged(name: string): void {
    const nowMs = this.#options.clock.monotonic();
    const file = this.#options.backups.facts(name);
    if (file === undefined || file.state === 'sealed') {
      this.#sentAtMs.delete(name);
    } else if (nowMs - (this.#sentAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < OPEN_FILE_INTERVAL_MS) {
      this.#late.add(name);
      this.#cancelLate ??= this.#options.clock.setTimer(OPEN_FILE_INTERVAL_MS, () => this.#sendLate());
      return;
    } else {
      this.#sentAtMs.set(name, nowMs);
    }
    this.#late.delete(name);
    this.#put(name);
  }

  #sendLate(): void {
    this.#cancelLate?.();
    this.#cancelLate = undefined;
    for (const name of this.#late) {
      this.#sentAtMs.set(name, this.#options.clock.monotonic());
      this.#put(name);
    }
    this.#late.clear();
  }

  #healthLater(): void {
    this.#cancelHealth = this.#options.clock.setTimer(HEALTH_INTERVAL_MS, () => {
      this.#outbox.put(this.#healthTopic);
      this.#outbox.retryFailed();
      this.#healthLater();
    });
  }

  #put(name: string): void {
    // A person's file may have a name that no topic can have.
    if (/[+#]/.test(name)) return;
    const topic = this.#recoveryTopic + name;
    this.#outbox.put(topic);
    const file = this.#options.backups.facts(name);
    if (file === undefined || this.#isInlined(file)) this.#outbox.put(topic + CSV_LEVEL);
  }

  #retainedSeen(topic: string, payload: Buffer): void {
    if (this.#isStopped || !topic.startsWith(this.#recoveryTopic)) return;
    const { file, isCsv } = this.#subjectOf(topic);
    const content = isCsv ? createHash('sha256').update(payload).digest('hex') : payload.toString();
    if (file !== undefined && content === (isCsv ? this.#csvDigest(file) : this.#noticeText(file))) {
      this.#published.set(topic, content);
    } else {
      this.#published.delete(topic);
      this.#outbox.put(topic);
    }
  }

  async #makeRight(topic: string): Promise<void> {
    if (topic === this.#healthTopic) {
      await this.#publish(topic, JSON.stringify(this.#options.health()));
      return;
    }
    const { file, isCsv } = this.#subjectOf(topic);
    const content = file === undefined ? undefined : isCsv ? this.#csvDigest(file) : this.#noticeText(file);
    if (content !== undefined && this.#published.get(topic) === content) return;
    const payload =
      file !== undefined && isCsv && content !== undefined
        ? await ifThere(this.#options.backups.read(file.file))
        : content;
    if (payload !== undefined) await this.#remember(topic, 'remember');
    await this.#publish(topic, payload ?? '');
    if (payload === undefined) await this.#remember(topic, 'forget');
    if (payload === undefined || content === undefined) this.#published.delete(topic);
    else this.#published.set(topic, content);
  }

  /**
   * A disk that takes no more is no reason to keep silent: then the broker's own word is all there is, as it sends what
   * it retains.
   */
  async #remember(topic: string, how: 'remember' | 'forget'): Promise<void> {
    try {
      await this.#options.memory[how](topic);
      this.#memoryError.over();
    } catch (error) {
      this.#memoryError.report({ topic, error });
    }
  }

  async #publish(topic: string, payload: string | Buffer): Promise<void> {
    await this.#options.publisher.publish(topic, payload, { retain: true });
    this.#error.over();
  }

  #subjectOf(topic: string): { readonly file: NoticeFacts | undefined; readonly isCsv: boolean } {
    // Of a base topic that was configured before: nothing of it is right any more.
    if (!topic.startsWith(this.#recoveryTopic)) return { file: undefined, isCsv: false };
    const path = topic.slice(this.#recoveryTopic.length);
    const isCsv = path.endsWith(CSV_LEVEL);
    const name = isCsv ? path.slice(0, -CSV_LEVEL.length) : path;
    return { file: this.#options.backups.facts(name), isCsv };
  }

  #isInlined(file: NoticeFacts): boolean {
    const { inlineCsvMaxBytes } = this.#options;
    return inlineCsvMaxBytes > 0 && file.sha256 !== undefined && file.bytes <= inlineCsvMaxBytes;
  }

  #csvDigest(file: NoticeFacts): string | undefined {
    return this.#isInlined(file) ? file.sha256 : undefined;
  }

  #noticeText(file: NoticeFacts): string {
    return JSON.stringify({ ...file, bridgeId: this.#options.bridgeId });
  }
}
