import { hash } from 'node:crypto';
import { dirname } from 'node:path';

import { ifThere, removeIfThere, replaceFile, TEMPORARY_SUFFIX, withSynced } from '../core/durable-file.ts';
import { coerceError } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import type { Message } from '../core/message.ts';
import type { Reserve } from '../core/reserve.ts';

export interface RetainedMemoryOptions {
  /** The file, in a directory that is there. */
  readonly path: string;
  readonly reserve: Reserve;
  readonly fileSystem: FileSystem;
  readonly log: Logger;
  /** Of further topics nothing is remembered. */
  readonly maxTopics?: number;
}

/** What is stored of a topic. */
interface Entry {
  readonly topic: string;
  /** The message that was stored last. */
  messageNo: number;
  /** Of its bytes; of use once `payload` is undefined. */
  digest: string;
  /** Its bytes, as long as they are not digested. */
  payload: Buffer | undefined;
  /** The broker had kept it. */
  wasRetained: boolean;
  /** What the file says of the topic; empty: nothing. */
  digestInFile: string;
  /** It is in the list of what the file may have to be told. */
  isListed: boolean;
}

const MAX_TOPICS = 100_000;
const MAX_TOPIC_LENGTH = 1_000;
/** A start leaves this part free for new topics. */
const PART_KEPT = 0.9;
/** The bytes of more messages than these are not held until the next checkpoint. */
const MAX_UNDIGESTED = 1_000;
/** A file that has grown longer is written anew. */
const MAX_LINES_PER_TOPIC = 4;

/**
 * Which bytes were stored last of each topic: a new session brings what the broker has kept of it, and that is stored
 * already where nothing was published meanwhile.
 *
 * Whatever is in doubt is stored twice, never not at all. So the file may know less than the memory, but what it says
 * must be so when the process is gone. It is a log: a line for a topic takes the place of the one before, and a line
 * without a digest strikes it out.
 *
 * - A kept message is added when it is stored, as no later one may come for months.
 * - A message that comes while the bridge listens strikes its topic out, once. Struck out it has to be before a
 *   checkpoint settles the message: until then the journal gives it again. So `save` comes before each checkpoint.
 * - A clean stop writes all that is known. After a crash the topics are stored once more of which the bridge had
 *   messages since.
 *
 * A message that the journal gives again is not taken for a repetition of itself: only messages before it count.
 */
export class RetainedMemory {
  readonly #options: RetainedMemoryOptions;
  readonly #maxTopics: number;
  readonly #entries = new Map<string, Entry>();
  #undigested: Entry[] = [];
  #listed: Entry[] = [];
  #journalId = '';
  /** There is a file, and lines may be added at its end. */
  #hasFile = false;
  #lines = 0;

  constructor(options: RetainedMemoryOptions) {
    this.#options = options;
    this.#maxTopics = options.maxTopics ?? MAX_TOPICS;
  }

  /**
   * Reads what an earlier run left. `lastNo`: the last message that the journal has; what is said to be stored of later
   * ones is lost with them. A file that is damaged or another journal's counts for nothing. Throws the system error of
   * the disk.
   */
  async start(journalId: string, lastNo: number): Promise<void> {
    const { fileSystem, log, path } = this.#options;
    this.#journalId = journalId;
    await removeIfThere(fileSystem, path + TEMPORARY_SUFFIX);
    const bytes = await ifThere(fileSystem.read(path));
    if (bytes === undefined) return;
    const found = parseFile(bytes.toString(), journalId);
    if (found === undefined) log.warn('what was remembered of retained messages is of no use', { file: path });
    const known = (found ?? []).filter(([, , messageNo]) => messageNo <= lastNo).sort((a, b) => b[2] - a[2]);
    for (const [topic, digest, messageNo] of known.slice(0, Math.floor(this.#maxTopics * PART_KEPT))) {
      const entry = { topic, messageNo, digest, payload: undefined, wasRetained: false };
      this.#entries.set(topic, { ...entry, digestInFile: digest, isListed: false });
    }
    // Behind a torn line nothing may be added.
    await this.#tryTo(() => this.#rewrite([...this.#entries.values()]));
  }

  /** Whether the message that was stored last of the topic, before this one, had the same bytes. */
  has({ number, payload, topic }: Message): boolean {
    const entry = this.#entries.get(topic);
    if (entry === undefined || entry.messageNo >= number) return false;
    return entry.payload === undefined ? entry.digest === digestOf(payload) : entry.payload.equals(payload);
  }

  /** The message's values are being stored. Messages of a topic are noted in their order. */
  note({ number, payload, retained = false, topic }: Message): void {
    const entry = this.#entries.get(topic) ?? this.#add(topic);
    if (entry === undefined) return;
    entry.messageNo = number;
    entry.wasRetained = retained;
    if (entry.payload === undefined) this.#undigested.push(entry);
    entry.payload = payload;
    this.#list(entry);
    if (this.#undigested.length >= MAX_UNDIGESTED) this.#digestAll();
  }

  /** A message came of the topic that gave no values: what was stored before it is not the last one any more. */
  forget(topic: string): void {
    const entry = this.#entries.get(topic);
    if (entry === undefined) return;
    entry.digest = '';
    entry.payload = undefined;
    entry.wasRetained = false;
    this.#list(entry);
  }

  /**
   * To be called before a checkpoint is written. Resolves when the file says nothing that messages noted so far have
   * made untrue. Throws the system error of the disk: the checkpoint must not be written then.
   */
  async save(): Promise<void> {
    this.#digestAll();
    const listed = this.#listed;
    this.#listed = [];
    const lines = listed.map((entry) => this.#lineFor(entry)).filter((line) => line !== '');
    if (lines.length === 0) return;
    this.#lines += lines.length;
    const isLong = this.#lines > MAX_LINES_PER_TOPIC * this.#entries.size;
    const isAdded = this.#hasFile && !isLong;
    await this.#tryTo(() => (isAdded ? this.#append(lines.join('')) : this.#rewrite(this.#entriesInFile())));
  }

  /** To be called when no message comes any more. Resolves when the file has all that is known. */
  async stop(): Promise<void> {
    if (this.#entries.size === 0) return;
    this.#digestAll();
    await this.#tryTo(() => this.#rewrite([...this.#entries.values()]));
  }

  #add(topic: string): Entry | undefined {
    if (this.#entries.size >= this.#maxTopics || topic.length > MAX_TOPIC_LENGTH) return undefined;
    const entry: Entry = {
      topic,
      messageNo: 0,
      digest: '',
      payload: undefined,
      wasRetained: false,
      digestInFile: '',
      isListed: false,
    };
    this.#entries.set(topic, entry);
    return entry;
  }

  #list(entry: Entry): void {
    if (entry.isListed || (!entry.wasRetained && entry.digestInFile === '')) return;
    entry.isListed = true;
    this.#listed.push(entry);
  }

  /** The bytes are views of larger buffers, which must not be held for long. */
  #digestAll(): void {
    for (const entry of this.#undigested) {
      if (entry.payload !== undefined) entry.digest = digestOf(entry.payload);
      entry.payload = undefined;
    }
    this.#undigested = [];
  }

  /** What the file must be told of the topic, which then counts as said; empty: nothing. */
  #lineFor(entry: Entry): string {
    entry.isListed = false;
    if (entry.digestInFile === entry.digest) return '';
    entry.digestInFile = entry.wasRetained ? entry.digest : '';
    return entry.wasRetained ? lineOf(entry) : `${JSON.stringify([entry.topic])}\n`;
  }

  #entriesInFile(): Entry[] {
    return [...this.#entries.values()].filter(({ digestInFile }) => digestInFile !== '');
  }

  #append(lines: string): Promise<void> {
    const { fileSystem, path } = this.#options;
    return withSynced(fileSystem.openAppend(path), (file) => file.append(Buffer.from(lines)));
  }

  async #rewrite(entries: readonly Entry[]): Promise<void> {
    const { fileSystem, path, reserve } = this.#options;
    const known = entries.filter(({ digest }) => digest !== '');
    const text = headerOf(this.#journalId) + known.map((entry) => lineOf(entry)).join('');
    // Messages that come meanwhile strike out what is being written.
    for (const entry of known) entry.digestInFile = entry.digest;
    await reserve.spendOn(() => replaceFile(fileSystem, path, text));
    this.#hasFile = true;
    this.#lines = known.length;
  }

  /** Where the disk refuses, the file is taken away: without it nothing untrue is said. Throws when that fails, too. */
  async #tryTo(write: () => Promise<void>): Promise<void> {
    const { fileSystem, log, path } = this.#options;
    try {
      await write();
    } catch (thrown) {
      log.warn('what is known of retained messages could not be kept', { file: path, error: coerceError(thrown) });
      this.#hasFile = false;
      await removeIfThere(fileSystem, path);
      await fileSystem.syncDirectory(dirname(path));
      for (const entry of this.#entries.values()) entry.digestInFile = '';
    }
  }
}

type FileLine = readonly [topic: string, digest: string, messageNo: number];

function headerOf(journalId: string): string {
  return `${JSON.stringify({ version: 1, journal: journalId })}\n`;
}

function lineOf({ digest, messageNo, topic }: Entry): string {
  return `${JSON.stringify([topic, digest, messageNo] satisfies FileLine)}\n`;
}

/** What holds at the end of the log; undefined: it is of no use. A last line that is torn was not synced yet. */
function parseFile(text: string, journalId: string): FileLine[] | undefined {
  const header = headerOf(journalId);
  if (!text.startsWith(header)) return undefined;
  const lines = text.slice(header.length).split('\n').slice(0, -1);
  const known = new Map<string, FileLine>();
  for (const line of lines) {
    const parsed = parseLine(line);
    if (parsed === undefined) return undefined;
    const [topic, digest] = parsed;
    if (digest === undefined) known.delete(topic);
    else known.set(topic, parsed);
  }
  return [...known.values()];
}

function parseLine(line: string): FileLine | readonly [string, undefined?] | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return isLine(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isLine(parsed: unknown): parsed is FileLine | readonly [string] {
  if (!Array.isArray(parsed)) return false;
  const [topic, digest, messageNo] = parsed as readonly unknown[];
  if (typeof topic !== 'string') return false;
  return parsed.length === 1 || (typeof digest === 'string' && digest !== '' && typeof messageNo === 'number');
}

function digestOf(payload: Buffer): string {
  return hash('sha256', payload, 'base64');
}
