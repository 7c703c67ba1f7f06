import { createHash } from 'node:crypto';

import { afterEach, describe, expect, it } from 'vitest';

import type { BackupFileInfo } from '../../../src/backup/file-info.ts';
import { Notices, type NoticeBackups, type NoticePublisher, type RetainedTopics } from '../../../src/backup/notices.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';

const BASE = 'plant/bridge';
const NAME = 'backup_20251102_143000.csv';
const CSV = Buffer.from('tag_name\r\nx\r\n');

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

  file(name: string): BackupFileInfo | undefined {
    return this.#files.get(name);
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

function openFile(rows: number, name = NAME): BackupFileInfo {
  return {
    name,
    kind: 'backup',
    state: 'open',
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

function sealedFile(rows: number, name = NAME): BackupFileInfo {
  return { ...openFile(rows, name), state: 'sealed', sha256: createHash('sha256').update(CSV).digest('hex') };
}

interface Setup {
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

function start(inlineCsvMaxBytes = 100, remembered: readonly string[] = []): Setup {
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

afterEach(async () => {
  for (const { notices, clock } of running.splice(0)) {
    await notices.stop();
    if (clock.pendingTimers > 0) throw new Error('a timer outlives the notices');
  }
});

describe('the recovery notice', () => {
  it('says what the interface promises', async () => {
    const { broker, backups, clock } = start();
    broker.connect();
    backups.put(sealedFile(7));
    await clock.advance(0);
    expect(JSON.parse(broker.retained.get(`${BASE}/recovery/${NAME}`)!)).toEqual({
      file: NAME,
      kind: 'backup',
      state: 'sealed',
      rows: 7,
      replayedRows: 0,
      bytes: CSV.length,
      sha256: createHash('sha256').update(CSV).digest('hex'),
      firstTimestamp: '2025-11-02T14:29:00.000Z',
      lastTimestamp: null,
      createdAt: '2025-11-02T14:30:00.000Z',
      reason: { code: 'ORA-12514', message: 'no service' },
      bridgeId: 'b1',
    });
    expect(broker.retained.get(`${BASE}/recovery/${NAME}/csv`)).toBe(CSV.toString());
  });

  it('of an open file is renewed every five seconds at most, of a sealed one at once', async () => {
    const { broker, backups, clock, rowsPublished } = start();
    broker.connect();
    for (let rows = 1; rows <= 100; rows += 1) {
      backups.put(openFile(rows));
      await clock.advance(100);
    }
    expect(rowsPublished()).toEqual([1, 51]);
    backups.put(sealedFile(101));
    await clock.advance(0);
    expect(rowsPublished()).toEqual([1, 51, 101]);
    await clock.advance(20_000);
    expect(rowsPublished()).toEqual([1, 51, 101]);
  });

  it('comes without the CSV when that is larger than allowed, or not wanted', async () => {
    for (const maxBytes of [CSV.length - 1, 0]) {
      const { broker, backups, clock } = start(maxBytes);
      broker.connect();
      backups.put(sealedFile(1));
      await clock.advance(0);
      expect([...broker.retained.keys()].sort()).toEqual([`${BASE}/health`, `${BASE}/recovery/${NAME}`]);
    }
  });

  it('is cleared with the CSV when the file goes', async () => {
    const { broker, backups, clock } = start();
    broker.connect();
    backups.put(sealedFile(1));
    await clock.advance(0);
    backups.drop(NAME);
    await clock.advance(0);
    expect([...broker.retained.keys()]).toEqual([`${BASE}/health`]);
  });

  it('is not made for a name that no topic can have', async () => {
    const { broker, backups, clock } = start();
    broker.connect();
    backups.put(sealedFile(1, 'copy #2.csv'));
    await clock.advance(0);
    expect([...broker.retained.keys()]).toEqual([`${BASE}/health`]);
  });
});

describe('a new connection', () => {
  it('brings the retained notices into line with the files', async () => {
    const { broker, backups, clock } = start();
    broker.retained.set(`${BASE}/recovery/gone.csv`, '{}');
    broker.retained.set(`${BASE}/recovery/gone.csv/csv`, 'x');
    broker.retained.set(`${BASE}/recovery/${NAME}`, '{"old":true}');
    broker.retained.set(`${BASE}/recovery/open.csv/csv`, 'x');
    broker.retained.set(`${BASE}/recovery/a/b/c`, 'not ours');
    backups.put(sealedFile(3));
    backups.put(openFile(2, 'open.csv'));
    await clock.advance(0);
    expect(broker.published).toEqual([]);
    broker.connect();
    await clock.advance(0);
    await until('all is sent', () => broker.inFlight === 0);
    expect([...broker.retained.keys()].sort()).toEqual([
      `${BASE}/health`,
      `${BASE}/recovery/a/b/c`,
      `${BASE}/recovery/${NAME}`,
      `${BASE}/recovery/${NAME}/csv`,
      `${BASE}/recovery/open.csv`,
    ]);
    expect(broker.retained.get(`${BASE}/recovery/${NAME}`)).toContain('"rows":3');
  });

  it('does not make it answer messages as they are published, its own first of all', async () => {
    const { broker, backups, clock } = start();
    backups.put(sealedFile(3));
    broker.connect();
    await clock.advance(10_000);
    expect(broker.published).toHaveLength(3);
    backups.drop(NAME);
    await clock.advance(10_000);
    expect(broker.published).toHaveLength(5);
    await broker.publish(`${BASE}/recovery/${NAME}`, 'of somebody else');
    await clock.advance(10_000);
    expect(broker.published).toHaveLength(6);
  });

  it('is not flooded by thousands of stale notices', async () => {
    const { broker } = start();
    for (let i = 0; i < 3000; i += 1) broker.retained.set(`${BASE}/recovery/old_${i}.csv`, '{}');
    broker.connect();
    await until('all are cleared', () => broker.retained.size === 1 && broker.inFlight === 0);
    expect(broker.maxInFlight).toBe(8);
    expect(broker.published).toHaveLength(3001);
  });

  it('tells a broker that forgot all of it again', async () => {
    const { broker, backups, clock } = start();
    backups.put(sealedFile(3));
    broker.connect();
    await clock.advance(0);
    broker.connected = false;
    backups.put(openFile(1, 'next.csv'));
    await clock.advance(60_000);
    broker.retained.clear();
    broker.connect();
    await clock.advance(0);
    expect([...broker.retained.keys()].sort()).toEqual([
      `${BASE}/health`,
      `${BASE}/recovery/${NAME}`,
      `${BASE}/recovery/${NAME}/csv`,
      `${BASE}/recovery/next.csv`,
    ]);
  });
});

describe.each(['forWildcards', 'withoutFlag'] as const)('on a broker that is silent %s', (silence) => {
  it('what was published before is cleared by name, once its file is gone', async () => {
    const topics = [`${BASE}/recovery/gone.csv`, `${BASE}/recovery/gone.csv/csv`, 'before/recovery/older.csv'];
    const { broker, backups, clock, memory } = start(100, [...topics, `${BASE}/recovery/${NAME}`]);
    broker.silence = silence;
    for (const topic of topics) broker.retained.set(topic, '{}');
    broker.retained.set(`${BASE}/recovery/${NAME}`, '{"old":true}');
    broker.retained.set(`${BASE}/recovery/of-others.csv`, '{}');
    backups.put(sealedFile(3));
    broker.connect();
    await clock.advance(0);
    await until('all is sent', () => broker.inFlight === 0 && memory.remembered.size === 2);
    expect([...broker.retained.keys()].sort()).toEqual([
      `${BASE}/health`,
      `${BASE}/recovery/${NAME}`,
      `${BASE}/recovery/${NAME}/csv`,
      `${BASE}/recovery/of-others.csv`,
    ]);
    expect([...memory.remembered].sort()).toEqual([`${BASE}/recovery/${NAME}`, `${BASE}/recovery/${NAME}/csv`]);
    expect(broker.to('before/recovery/older.csv')).toEqual(['']);
  });
});

describe('what is remembered', () => {
  it('is there before it is published, and goes after it was cleared', async () => {
    const { broker, backups, clock, memory } = start();
    broker.connect();
    backups.put(sealedFile(1));
    await clock.advance(0);
    expect([...memory.remembered].sort()).toEqual([`${BASE}/recovery/${NAME}`, `${BASE}/recovery/${NAME}/csv`]);
    broker.connected = false;
    backups.drop(NAME);
    await clock.advance(0);
    expect(memory.remembered.size).toBe(2);
    broker.connect();
    await clock.advance(0);
    await until('nothing is left', () => memory.remembered.size === 0);
    expect(memory.late).toEqual([]);
    expect([...broker.retained.keys()]).toEqual([`${BASE}/health`]);
  });

  it('is nothing on a full disk, and notices come all the same', async () => {
    const { broker, backups, clock, log, memory, rowsPublished } = start();
    memory.failure = new Error('ENOSPC');
    broker.connect();
    backups.put(sealedFile(1));
    await clock.advance(0);
    expect(rowsPublished()).toEqual([1]);
    expect(log.messages()).toEqual(['notices not remembered for the next start']);
  });
});

describe('a publish that fails', () => {
  it('while connected is tried again within a minute, and logged once', async () => {
    const { broker, backups, clock, log, rowsPublished } = start();
    broker.connect();
    await clock.advance(0);
    broker.failures = 2;
    backups.put(sealedFile(3));
    await clock.advance(0);
    expect(rowsPublished()).toEqual([]);
    expect(log.messages()).toEqual(['notice could not be published']);
    await clock.advance(60_000);
    expect(rowsPublished()).toEqual([3]);
  });
});

describe('health', () => {
  it('is published at each connect and every minute', async () => {
    const { broker, clock } = start();
    broker.connect();
    await clock.advance(0);
    expect(broker.to(`${BASE}/health`)).toEqual(['{"state":"fine"}']);
    await clock.advance(180_000);
    expect(broker.to(`${BASE}/health`)).toHaveLength(4);
  });
});

describe('stopping', () => {
  it('publishes what still waits', async () => {
    const { broker, backups, clock, notices, rowsPublished } = start();
    broker.connect();
    await clock.advance(0);
    backups.put(openFile(1));
    backups.put(openFile(2));
    await notices.stop();
    expect(rowsPublished()).toEqual([1, 2]);
    backups.put(openFile(3));
    await clock.advance(60_000);
    expect(rowsPublished()).toEqual([1, 2]);
  });
});
