import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { DEFAULT_DESTINATION } from '../core/destination.ts';
import { removeIfThere, replaceFile, TEMPORARY_SUFFIX } from '../core/durable-file.ts';
import { systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import { ORIGIN, type Place } from '../core/place.ts';
import type { Reserve } from '../core/reserve.ts';
import { JOURNAL_FILES } from './file-names.ts';
import type { HeldPacketId } from './held-packet-ids.ts';

/** What is known of the broker's session: of its having got acknowledgements, and of its manners. */
export interface SessionKnowledge {
  /** Of the messages up to this number, those of the present session, the broker has the acknowledgements. */
  readonly acknowledgedThrough: number;
  /** As in SessionManners of mqtt/redelivery/redelivery.ts. */
  readonly idsCountOn: boolean;
  readonly setsDuplicate: boolean;
  readonly keepsIds: boolean;
}

export const NOTHING_KNOWN: SessionKnowledge = {
  acknowledgedThrough: 0,
  idsCountOn: false,
  setsDuplicate: false,
  keepsIds: false,
};

/** How far the values for one destination are. */
export interface LaneRecord {
  /** Each of its values up to and including this place is settled, and counted; the journal may be behind it. */
  readonly place: Place;
  /** What became of its values up to there. */
  readonly counters: Readonly<Record<string, number>>;
  /** Where its row of the ledger was known to be. */
  readonly ledger: Place;
}

/** By the names of the destinations. */
export type LaneRecords = Readonly<Record<string, LaneRecord>>;

/** What the rest of the bridge sees of a checkpoint. */
export interface Checkpoint {
  /** Every value up to and including this place is settled. */
  readonly place: Place;
  /** Of messages and of all values. */
  readonly counters: Readonly<Record<string, number>>;
  readonly lanes: LaneRecords;
  /** False: a version has written it that knew no destination but the default. */
  readonly knowsLanes: boolean;
  readonly broker: SessionKnowledge;
}

/** The packet ids of QoS 2 that were held when all messages up to `through` were durable and none behind it. */
export interface HeldThrough {
  readonly through: number;
  readonly ids: readonly HeldPacketId[];
}

/**
 * What the checkpoint file holds: one line of JSON and, on a second line, its CRC-32 in hexadecimal. It is replaced as
 * a whole (new file, sync, rename, sync of the directory), so that one or the other is there after a crash.
 */
export interface CheckpointContent {
  readonly version: 1;
  readonly journalId: string;
  /** All up to here is settled. */
  readonly place: Place;
  /** No value of the place's message is open. */
  readonly isWhole: boolean;
  /** The greatest segment begun so far: a lost newest segment does not make numbers repeat. */
  readonly segmentNo: number;
  /** The greatest connection number given so far. */
  readonly connection: number;
  /**
   * With this connection the broker's present session began; what earlier ones delivered never comes again. Absent:
   * with the first.
   */
  readonly sessionFrom?: number;
  readonly counters: Readonly<Record<string, number>>;
  /** Where the row of the ledger of the default destination was known to be. Absent: nowhere. */
  readonly ledger?: Place;
  /** Absent: there is no destination but the default, and `place`, `counters` and `ledger` say how far that one is. */
  readonly lanes?: LaneRecords;
  /** Absent: nothing is known. */
  readonly broker?: SessionKnowledge;
  /**
   * Always there, as releases may stand in segments that are gone while those of their messages are kept. Absent in
   * files of old.
   */
  readonly held?: HeldThrough;
}

const NAME = JOURNAL_FILES.checkpoint;

/** What the rest of the bridge sees of the content. */
export function checkpointOf({ place, counters, ledger, lanes, broker }: CheckpointContent): Checkpoint {
  const only = { [DEFAULT_DESTINATION]: { place, counters, ledger: ledger ?? ORIGIN } };
  const knowsLanes = lanes !== undefined;
  return { place, counters, lanes: lanes ?? only, knowsLanes, broker: broker ?? NOTHING_KNOWN };
}

export function encodeCheckpoint(content: CheckpointContent): string {
  const json = JSON.stringify(content);
  return `${json}\n${hexCrc(json)}\n`;
}

/** The content, `none` when there is no file, `damaged` when what is there is not one or of another version. */
export async function readCheckpoint(
  directory: string,
  fileSystem: FileSystem,
): Promise<CheckpointContent | 'none' | 'damaged'> {
  let bytes: Buffer;
  try {
    bytes = await fileSystem.read(join(directory, NAME));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 'none';
    throw error;
  }
  return decode(bytes.toString()) ?? 'damaged';
}

/**
 * Replaces the file; durable when it resolves. Throws what the disk throws; then the old one or the new one is there.
 */
export function writeCheckpoint(
  directory: string,
  text: string,
  fileSystem: FileSystem,
  reserve: Reserve,
): Promise<void> {
  return reserve.spendOn(() => replaceFile(fileSystem, join(directory, NAME), text));
}

/** The text is whole, and of a later version of the format. */
export function isLaterCheckpoint(text: string): boolean {
  const [json = '', crc] = text.split('\n');
  return crc === hexCrc(json) && (JSON.parse(json) as { readonly version: number }).version > 1;
}

/** Removes what an interrupted write left over. */
export async function removeTemporary(directory: string, fileSystem: FileSystem): Promise<void> {
  await removeIfThere(fileSystem, join(directory, NAME + TEMPORARY_SUFFIX));
}

function decode(text: string): CheckpointContent | undefined {
  const [json = '', crc, rest] = text.split('\n');
  if (crc !== hexCrc(json) || rest !== '') return undefined;
  const content = JSON.parse(json) as CheckpointContent; // the CRC says that we wrote it
  return content.version === 1 ? content : undefined;
}

function hexCrc(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
