import { fillSubscription } from '../../src/config/kinds/subscription-fields.ts';
import { Reserve } from '../../src/core/reserve.ts';
import { createDecoder, type Decoder } from '../../src/payload/decoder.ts';
import { FormatMemory } from '../../src/payload/format-memory.ts';
import { RetainedMemory } from '../../src/payload/retained-memory.ts';
import { LossyDisk, seededRandom } from '../support/lossy-filesystem.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import type { FuzzTarget } from './fuzzed-formats.ts';
import type { Reader } from './fuzzer.ts';

const JOURNAL = 'j1';
const DIRECTORY = '/journal';
/** As the bridge has it. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

/** A decoder with what the bridge has around it: what is remembered of earlier messages, on a disk. */
export class ReadingProcess implements Reader {
  readonly decoder: Decoder;
  readonly #target: FuzzTarget;
  readonly #disk: LossyDisk;
  readonly #memory: FormatMemory;
  readonly #retained: RetainedMemory;

  private constructor(target: FuzzTarget, disk: LossyDisk) {
    const fileSystem = disk.mount();
    const log = new RecordingLogger();
    const reserve = new Reserve(DIRECTORY, 0, fileSystem);
    this.#target = target;
    this.#disk = disk;
    const dir = `${DIRECTORY}/formats`;
    this.#memory = new FormatMemory({ dir, maxBytes: MAX_MEMORY_BYTES, reserve, fileSystem, log });
    this.#retained = new RetainedMemory({ path: `${DIRECTORY}/retained`, reserve, fileSystem, log });
    this.decoder = createDecoder([fillSubscription(target.subscription)], target.tagName, {
      memory: this.#memory,
      stored: this.#retained,
    });
  }

  /** `messageNo`: the last message that came to the process before. */
  static async start(
    target: FuzzTarget,
    messageNo = 0,
    disk = new LossyDisk(seededRandom(1)),
  ): Promise<ReadingProcess> {
    const started = new ReadingProcess(target, disk);
    await started.#memory.start(JOURNAL, messageNo);
    await started.#retained.start(JOURNAL, messageNo);
    started.decoder.resume(messageNo);
    return started;
  }

  async settle(messageNo: number): Promise<void> {
    await this.#retained.save();
    await this.#memory.save(messageNo);
    await this.#memory.saved(messageNo);
  }

  next(messageNo: number): Promise<ReadingProcess> {
    return ReadingProcess.start(this.#target, messageNo, this.#disk);
  }
}
