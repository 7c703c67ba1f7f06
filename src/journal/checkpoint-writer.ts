import { lacksRoom } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Reserve } from '../core/reserve.ts';
import type { OnStep } from '../core/steps.ts';
import { encodeCheckpoint, writeCheckpoint, type CheckpointContent } from './checkpoint-file.ts';
import { JoinedSaves } from './joined-saves.ts';
import type { SegmentList } from './segment-list.ts';
import type { Segment } from './segment.ts';

/** What a checkpoint says beside what the journal knows itself. */
export type CheckpointFacts = Pick<CheckpointContent, 'counters' | 'ledger' | 'lanes' | 'broker'>;

/**
 * Who knows something of messages that has to be durable before a checkpoint says that they are settled, as they are
 * not read again then. Each checkpoint goes `save` of all → the checkpoint is written → `saved` of all.
 */
export interface CheckpointCompanion {
  /**
   * Resolves when what is known of the messages up to `settledNo` is durable. Throws the system error of the disk: no
   * checkpoint is written then.
   */
  save(settledNo: number): Promise<void>;
  /** The checkpoint that says so is durable. Throws the system error of the disk. */
  saved?(settledNo: number): Promise<void>;
}

export interface CheckpointWriterOptions {
  readonly dir: string;
  readonly fileSystem: FileSystem;
  readonly reserve: Reserve;
  readonly segments: SegmentList;
  /** What the file is to hold, as of now. */
  readonly content: (facts: CheckpointFacts) => CheckpointContent;
  /** Segments that nothing needs once this moment's checkpoint is durable. */
  readonly removable: () => readonly Segment[];
  readonly companions: readonly CheckpointCompanion[];
  /** Segments are gone: there may be room now. */
  readonly onRemoved: () => void;
  readonly onStep: OnStep;
}

/**
 * Writes checkpoints, one at a time, and takes away the segments that a durable one makes superfluous.
 *
 *     content of now ──what must be durable before──▶ write, sync, rename ──▶ remove segments ──▶ sync the directory
 *
 * A crash between two of these steps leaves a segment too many, never one too few. Only a full disk turns the order
 * round: room has to be made before the checkpoint can be written, and a segment that is settled and gone is not read
 * again, whatever the old checkpoint says.
 */
export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  readonly #saves = new JoinedSaves(() => this.#saveNow());
  #facts: () => CheckpointFacts = () => ({ counters: {} });
  #lastText = '';

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves when a checkpoint that began now or later is durable. `facts` is asked as it begins: they have to fit the
   * place of that moment. Calls that come while one is at work are served together by the next. Throws the system error
   * of the disk.
   */
  save(facts: () => CheckpointFacts): Promise<void> {
    this.#facts = facts;
    return this.#saves.save();
  }

  /** Resolves when nothing is being saved. */
  settled(): Promise<void> {
    return this.#saves.settled();
  }

  async #saveNow(): Promise<void> {
    const { companions, content, onStep, removable } = this.#options;
    const contentOfNow = content(this.#facts());
    const superfluous = removable();
    const settledNo = settledNoOf(contentOfNow);
    const text = encodeCheckpoint(contentOfNow);
    try {
      await this.#write(text, settledNo);
    } catch (error) {
      if (!lacksRoom(error) || superfluous.length === 0) throw error;
      await this.#remove(superfluous);
      await this.#write(text, settledNo);
    }
    this.#lastText = text;
    onStep('checkpoint-written');
    await this.#remove(superfluous);
    for (const companion of companions) await companion.saved?.(settledNo);
  }

  async #write(text: string, settledNo: number): Promise<void> {
    const { companions, dir, fileSystem, reserve } = this.#options;
    // Also where the checkpoint stays as it is: what the companions know may have changed.
    for (const companion of companions) await companion.save(settledNo);
    if (text !== this.#lastText) await writeCheckpoint(dir, text, fileSystem, reserve);
  }

  async #remove(superfluous: readonly Segment[]): Promise<void> {
    if (superfluous.length === 0) return;
    await this.#options.segments.remove(superfluous);
    this.#options.onRemoved();
  }
}

/** Messages up to this one are not read again after a start that finds the content. */
function settledNoOf({ isWhole, place }: CheckpointContent): number {
  return isWhole ? place.messageNo : place.messageNo - 1;
}
