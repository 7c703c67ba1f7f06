import type { Message } from '../../core/message.ts';
import type { EarlierMessages } from '../format-memory.ts';
import { Born, type DeviceContent, type NodeContent } from './births.ts';
import type { NodeCommands, NodeName } from './node-commands.ts';
import { SequenceWatch } from './sequence.ts';
import type { SparkplugTopic } from './topic.ts';

/** What a birth says, before it is known whether it counts. */
export interface Birth {
  readonly metrics: Born;
  /** As digits; undefined: it has none. */
  readonly bdSeq: string | undefined;
  readonly timeMs: number | undefined;
}

const BIRTH_PREFIX = 'sparkplugB birth ';
const DOUBT_PREFIX = 'sparkplugB doubt ';
const MAX_NODES = 10_000;

/**
 * What is known of the edge nodes and their devices. All that says how a message is read is in the memory of formats,
 * so that it is the same after a crash: births, from the message that brings them on, and deaths that are in doubt.
 * Sequence numbers, and whether a node was heard of in this process, are not: they only give cause to ask for births.
 */
export class EdgeNodes {
  readonly #memory: EarlierMessages;
  readonly #commands: NodeCommands;
  readonly #nodes = new Map<string, EdgeNode>();
  /** Messages up to this one came to an earlier process. */
  #earlierThrough = 0;

  constructor(memory: EarlierMessages, commands: NodeCommands) {
    this.#memory = memory;
    this.#commands = commands;
  }

  of(topic: SparkplugTopic): EdgeNode {
    const known = this.#nodes.get(topic.nodeKey);
    if (known !== undefined) return known;
    // A sender that makes up names must not fill the memory; what counts is read again.
    if (this.#nodes.size >= MAX_NODES) this.#nodes.clear();
    const isEarlier = ({ number }: Message): boolean => number <= this.#earlierThrough;
    const node = new EdgeNode(topic, this.#memory, this.#commands, isEarlier);
    this.#nodes.set(topic.nodeKey, node);
    return node;
  }

  /**
   * Deaths that were in doubt when an earlier process ended are so still. To be called when the memory has started.
   * `earlierThrough`: the last message that came to an earlier process.
   */
  resume(earlierThrough: number): void {
    this.#earlierThrough = earlierThrough;
    for (const key of this.#memory.keys()) {
      if (!key.startsWith(DOUBT_PREFIX)) continue;
      const [group = '', node = ''] = key.slice(DOUBT_PREFIX.length).split('/');
      this.#commands.doubtDeath({ group, node }, this.#memory.get(key) as number);
    }
  }
}

/** One edge node with its devices. A device is named by its id, the node itself by an empty text. */
export class EdgeNode {
  readonly sequence = new SequenceWatch();
  readonly #name: NodeName;
  readonly #key: string;
  readonly #memory: EarlierMessages;
  readonly #commands: NodeCommands;
  readonly #isEarlier: (message: Message) => boolean;
  readonly #born = new Map<string, Born>();
  #birth: Pick<NodeContent, 'birthNo' | 'bdSeq' | 'timeMs'> | undefined;
  /** To this process, and not by a retained message: it may have been born anew while no process listened. */
  #wasBornLive = false;
  #wasHeard = false;
  #isInDoubt: boolean;

  /** `isEarlier`: whether a message came to an earlier process. */
  constructor(
    { group, node, nodeKey }: SparkplugTopic,
    memory: EarlierMessages,
    commands: NodeCommands,
    isEarlier: (message: Message) => boolean,
  ) {
    this.#name = { group, node };
    this.#key = nodeKey;
    this.#memory = memory;
    this.#commands = commands;
    this.#isEarlier = isEarlier;
    this.#isInDoubt = memory.get(DOUBT_PREFIX + nodeKey) !== undefined;
    const content = memory.get(BIRTH_PREFIX + nodeKey) as NodeContent | undefined;
    this.#birth = content;
    if (content !== undefined) this.#born.set('', Born.read(content.metrics));
  }

  /** True once, where what this process hears of it first, or after its death, is nothing that tells its births. */
  isFirstHeard(message: Message): boolean {
    if (this.#isEarlier(message)) return false;
    const isFirst = !this.#wasHeard && !this.#wasBornLive;
    this.#wasHeard = true;
    return isFirst;
  }

  wantBirth(why: string, afterMs: number): void {
    this.#commands.wantBirth(this.#name, why, afterMs);
  }

  /** The messages that were missing have come. */
  satisfied(): void {
    this.#commands.satisfied(this.#name);
  }

  get bdSeq(): string | undefined {
    return this.#birth?.bdSeq ?? undefined;
  }

  get isKnown(): boolean {
    return this.#birth !== undefined || this.devices.length > 0;
  }

  /** Undefined: no birth of it is in force. */
  born(device: string): Born | undefined {
    const known = this.#born.get(device);
    if (known !== undefined) return known;
    const content = device === '' ? undefined : (this.#memory.get(this.#keyOf(device)) as DeviceContent | undefined);
    const isInForce = content !== undefined && content.nodeBirthNo === this.#birthNo;
    const born = isInForce ? Born.read(content.metrics) : undefined;
    // Of devices that were never born nothing is kept: a sender may make up names without end.
    if (born !== undefined) this.#born.set(device, born);
    return born;
  }

  /** The ids of the devices whose births are in force. */
  get devices(): readonly string[] {
    return this.#keptDevices().filter((device) => this.born(device) !== undefined);
  }

  /** Holds from the next message on. Throws MemoryFullError, and changes nothing, when there is no room for it. */
  noteBirth(message: Message, device: string, birth: Birth): void {
    if (message.retained === true && !this.#isNews(device, birth)) return;
    if (device === '') this.#noteNode(message, birth);
    else this.#noteDevice(message, device, birth);
    this.#born.set(device, birth.metrics);
  }

  #noteNode(message: Message, { bdSeq, metrics, timeMs }: Birth): void {
    const isLive = message.retained !== true;
    const birthNo = isLive ? message.number : this.#birthNo;
    const birth = { birthNo, bdSeq: bdSeq ?? null, timeMs: timeMs ?? null };
    const content: NodeContent = { ...birth, metrics: metrics.write() };
    this.#memory.note(BIRTH_PREFIX + this.#key, message.number, content);
    this.#birth = birth;
    // Retained births come in any order.
    if (!isLive) return;
    for (const device of this.#keptDevices()) this.#memory.note(this.#keyOf(device), message.number, undefined);
    this.#born.clear();
    this.#wasBornLive = !this.#isEarlier(message);
    this.#commands.born(this.#name);
  }

  #noteDevice(message: Message, device: string, { metrics, timeMs }: Birth): void {
    const content: DeviceContent = { nodeBirthNo: this.#birthNo, timeMs: timeMs ?? null, metrics: metrics.write() };
    this.#memory.note(this.#keyOf(device), message.number, content);
  }

  /** Something was heard of it, live: it is not dead. */
  noteLife(message: Message): void {
    if (!this.#isInDoubt) return;
    this.#isInDoubt = false;
    this.#memory.note(DOUBT_PREFIX + this.#key, message.number, undefined);
    this.#commands.lives(this.#name);
  }

  /** The message tells its death, which may not be true. */
  doubt(message: Message): void {
    this.#isInDoubt = true;
    this.#memory.note(DOUBT_PREFIX + this.#key, message.number, message.number);
    this.#commands.doubtDeath(this.#name, message.number);
  }

  /** Whether the death that message `messageNo` told is still in doubt: nothing was heard since. */
  isInDoubtSince(messageNo: number): boolean {
    return this.#memory.get(DOUBT_PREFIX + this.#key) === messageNo;
  }

  /** It is dead: no doubt is left. */
  noteDeath(message: Message): void {
    this.sequence.forget();
    this.#wasBornLive = false;
    this.#wasHeard = false;
    this.noteLife(message);
  }

  get #birthNo(): number {
    return this.#birth?.birthNo ?? 0;
  }

  /** A retained birth is old news: it only tells what nothing else has told, or is younger than what has. */
  #isNews(device: string, { timeMs }: Birth): boolean {
    if (this.born(device) === undefined) return true;
    const known = device === '' ? this.#birth : (this.#memory.get(this.#keyOf(device)) as DeviceContent | undefined);
    return timeMs !== undefined && known?.timeMs !== undefined && known.timeMs !== null && timeMs > known.timeMs;
  }

  /** Those whose births are kept, also where a later birth of the node has made these void. */
  #keptDevices(): string[] {
    const prefix = `${BIRTH_PREFIX + this.#key}/`;
    return [...this.#memory.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  #keyOf(device: string): string {
    return `${BIRTH_PREFIX + this.#key}/${device}`;
  }
}
