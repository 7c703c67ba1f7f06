import { createHash } from 'node:crypto';

import { fileFacts, type FileFacts } from '../../../src/backup/files/file-facts.ts';
import type { BackupFileInfo } from '../../../src/backup/files/file-info.ts';
import {
  Notices,
  type NoticeBackups,
  type NoticePublisher,
  type RetainedTopics,
} from '../../../src/notices/notices.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

export const BASE = 'plant/bridge';
export const NAME = 'backup_20251102_143000.csv';
export const CSV = Buffer.from('tag_name\r\nx\r\n');

type Listener = (topic: string, payload: Buffer, retain: boolean) => void;

/** A broker and the way to it, in memory. */
class MemoryBroker implements NoticePublisher {
  readonly retained = new Map<string, string>();
  readonly published: { readonly topic: string; readonly payload: string }[] = [];
  connected = false;
  /** As RabbitMQ, which sends nothing for a wildcard, and Moquette, which sends it without the retain flag. */
  silence: 'none' | 'forWildcards' | 'withoutFlag' = 'none';
  failures = 0;
  inFlight = 0;
  maxInFlight = 0;
  readonly #connectListeners: (() => void)[] = [];
  readonly #subscriptions: { readonly filter: string; readonly listener: Listener }[] = [];

  async publish(topic: string, payload: string | Buffer): Promise<void> {
    this.inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    await new Promise((resolve) => setImmediate(resolve));
    this.inFlight -= 1;
    if (!this.connected || this.failures > 0) {
      this.failures -= 1;
      throw new Error('not connected');
    }
    const text = payload.toString();
    this.published.push({ topic, payload: text });
    if (text === '') this.retained.delete(topic);
    else this.retained.set(topic, text);
    this.#deliver(topic, text, false);
  }

  onConnect(listener: () => void): void {
    this.#connectListeners.push(listener);
  }

  subscribe(filter: string, listener: Listener): void {
    this.#subscriptions.push({ filter, listener });
  }

  connect(): void {
    this.connected = true;
    if (this.silence !== 'forWildcards')
      for (const [topic, payload] of this.retained) this.#deliver(topic, payload, this.silence === 'none');
    for (const listener of this.#connectListeners) listener();
  }

  to(topic: string): string[] {
    return this.published.filter((message) => message.topic === topic).map(({ payload }) => payload);
  }

  #deliver(topic: string, payload: string, retain: boolean): void {
    for (const { filter, listener } of this.#subscriptions) {
      const pattern = new RegExp(`^${filter.replaceAll('+', '[^/]+')}$`);
      if (pattern.test(topic)) listener(topic, Buffer.from(payload), retain);
    }
  }
}

class MemoryBackups implements NoticeBackups {
  readonly #files = new Map<string, BackupFileInfo>();
  readonly #listeners = new Set<(name: string) => void>();

  files(): BackupFileInfo[] {
    return [...this.#files.values()];
  }

  facts(name: string): FileFacts | undefined {
    const file = this.#files.get(name);
    return file === undefined ? undefined : fileFacts(file, { to: undefined, hint: undefined });
  }

  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  read(): Promise<Buffer> {
    return Promise.resolve(CSV);
  }

  put(file: BackupFileInfo): void {
    this.#files.set(file.name, file);
    for (const listener of this.#listeners) listener(file.name);
  }

  drop(name: string): void {
    this.#files.delete(name);
    for (const listener of this.#listeners) listener(name);
  }
}

/** What is remembered, in memory. */
class Memory implements RetainedTopics {
  readonly remembered: Set<string>;
  /** Topics that were remembered after they had been published, or forgotten before they were cleared. */
  readonly late: string[] = [];
  failure: Error | undefined;
  readonly #broker: MemoryBroker;

  constructor(broker: MemoryBroker, remembered: readonly string[]) {
    this.#broker = broker;
    this.remembered = new Set(remembered);
  }

  topics(): Promise<readonly string[]> {
    return Promise.resolve([...this.remembered]);
  }

  remember(topic: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (!this.remembered.has(topic) && this.#broker.retained.has(topic)) this.late.push(topic);
    this.remembered.add(topic);
    return Promise.resolve();
  }

  forget(topic: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.#broker.retained.has(topic)) this.late.push(topic);
    this.remembered.delete(topic);
    return Promise.resolve();
  }
}

export function openFile(rows: number, name = NAME): BackupFileInfo {
  return {
    name,
    kind: 'backup',
    state: 'open',
    destination: 'default',
    rows,
    bytes: CSV.length,
    sha256: undefined,
    firstTimestampMs: Date.UTC(2025, 10, 2, 14, 29),
    lastTimestampMs: undefined,
    createdAtMs: Date.UTC(2025, 10, 2, 14, 30),
    reason: { code: 'ORA-12514', message: 'no service' },
    problem: undefined,
    replayedRows: undefined,
  };
}

export function sealedFile(rows: number, name = NAME): BackupFileInfo {
  return { ...openFile(rows, name), state: 'sealed', sha256: createHash('sha256').update(CSV).digest('hex') };
}

export interface Setup {
  readonly broker: MemoryBroker;
  readonly backups: MemoryBackups;
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly memory: Memory;
  readonly notices: Notices;
  /** The rows in each notice that was published for the file. */
  readonly rowsPublished: () => number[];
}

const running: Setup[] = [];

/** Notices on a broker and files in memory; the test stops them with `stopAll`. */
export function start(inlineCsvMaxBytes = 100, remembered: readonly string[] = []): Setup {
  const broker = new MemoryBroker();
  const backups = new MemoryBackups();
  const memory = new Memory(broker, remembered);
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const health = (): unknown => ({ state: 'fine' });
  const options = {
    publisher: broker,
    backups,
    memory,
    baseTopic: BASE,
    bridgeId: 'b1',
    inlineCsvMaxBytes,
    health,
    clock,
    log,
  };
  const notices = new Notices(options);
  notices.start();
  const rowsPublished = (): number[] =>
    broker
      .to(`${BASE}/recovery/${NAME}`)
      .map((text) => (text === '' ? 0 : (JSON.parse(text) as { rows: number }).rows));
  const setup = { broker, backups, clock, log, memory, notices, rowsPublished };
  running.push(setup);
  return setup;
}

/** For the end of each test. */
export async function stopAll(): Promise<void> {
  for (const { notices, clock } of running.splice(0)) {
    await notices.stop();
    if (clock.pendingTimers > 0) throw new Error('a timer outlives the notices');
  }
}
