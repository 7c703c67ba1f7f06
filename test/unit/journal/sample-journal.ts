import type { Clock } from '../../../src/core/clock.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import type { Delivery, Message } from '../../../src/core/message.ts';
import { Reserve } from '../../../src/core/reserve.ts';
import { noStep, type OnStep } from '../../../src/core/steps.ts';
import { Journal, type JournalLock, type JournalOptions } from '../../../src/journal/journal.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

export const DIRECTORY = '/journal';

const noLock: JournalLock = { acquire: () => Promise.resolve(), release: () => Promise.resolve() };

/** A delivery whose payload is `text`, that notes its acknowledgement in `acknowledged`. */
export function delivery(text: string, acknowledged: string[] = [], more: Partial<Delivery> = {}): Delivery {
  return {
    topic: 'plant/line/tag',
    payload: Buffer.from(text),
    qos: 1,
    retain: false,
    duplicate: false,
    packetId: 1,
    receivedAtMs: 1_762_000_000_123,
    connection: 0,
    ordinal: 0,
    withhold: () => {},
    acknowledge: () => void acknowledged.push(text),
    ...more,
  };
}

/** A disk in memory and the journals that one process after another opens on it. */
export class SampleJournal {
  readonly disk: LossyDisk;
  readonly clock = new FakeClock();
  readonly log = new RecordingLogger();
  readonly acknowledged: string[] = [];
  readonly steps: string[] = [];

  constructor(seed = 1) {
    this.disk = new LossyDisk(seededRandom(seed));
  }

  get files(): FileSystem {
    return this.disk.mount();
  }

  open(options: Partial<JournalOptions> = {}): Promise<Journal> {
    const onStep: OnStep = (step) => void this.steps.push(step);
    return Journal.open({
      dir: DIRECTORY,
      maxBytes: 1_000_000,
      segmentBytes: 10_000,
      redeliverable: 1,
      sync: 'always',
      reserve: new Reserve(DIRECTORY, 0, this.files),
      fileSystem: this.files,
      lock: noLock,
      clock: this.clock,
      log: this.log,
      onStep,
      ...options,
    });
  }

  /** Appends messages with these payloads and waits until they are acknowledged. */
  async fill(journal: Journal, ...payloads: string[]): Promise<void> {
    for (const text of payloads) journal.append(delivery(text, this.acknowledged));
    await journal.whenIdle();
  }

  /** A journal that was opened, filled and closed, group by group in a segment of its own. */
  async leave(...groups: string[][]): Promise<void> {
    for (const payloads of groups) {
      const journal = await this.open();
      await this.fill(journal, ...payloads);
      await journal.close();
    }
  }

  async segmentNames(): Promise<string[]> {
    return (await this.files.list(DIRECTORY)).filter((name) => name.startsWith('segment-'));
  }

  /** Puts a file with other content in the place of one, or makes one. */
  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const { files } = this;
    const path = `${DIRECTORY}/${name}`;
    await files.remove(path).catch(() => {});
    const file = await files.create(path);
    await file.append(bytes);
    await file.sync();
    await file.close();
    await files.syncDirectory(DIRECTORY);
  }
}

/** All that can be taken without waiting for more. `reader`: who takes them of the journal. */
export async function takeAll(journal: Journal, reader: Pick<Journal, 'take'> = journal): Promise<Message[]> {
  const taken: Message[] = [];
  while (journal.status.messages > taken.length) {
    const messages = await reader.take(new AbortController().signal);
    if (messages.length === 0) break;
    taken.push(...messages);
  }
  return taken;
}

export function texts(messages: readonly Message[]): string[] {
  return messages.map(({ payload }) => String(payload));
}

/** For measurements: a journal on a real disk. */
export function openJournalAt(
  dir: string,
  fileSystem: FileSystem,
  clock: Clock,
  more: Partial<JournalOptions>,
): Promise<Journal> {
  return Journal.open({
    dir,
    maxBytes: 1_073_741_824,
    segmentBytes: 16_777_216,
    redeliverable: 1000,
    sync: 'always',
    reserve: new Reserve(dir, 0, fileSystem),
    fileSystem,
    lock: noLock,
    clock,
    log: new RecordingLogger(),
    onStep: noStep,
    ...more,
  });
}
