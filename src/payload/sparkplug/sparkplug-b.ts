import type { Message } from '../../core/message.ts';
import { TooManyValuesError, type TagValues } from '../../core/tag-values.ts';
import type {
  CompiledFormat,
  DecodeOutcome,
  FormatScope,
  FormatSubscription,
  PayloadFormat,
  TopicNames,
} from '../format.ts';
import { MemoryFullError } from '../format-memory.ts';
import { fillLevels } from '../level-template.ts';
import { Born } from './births.ts';
import { VERIFIED_DEATH } from './commands.ts';
import type { EdgeNode, EdgeNodes } from './edge-nodes.ts';
import { COMPRESSED, inflateBody } from './envelope.ts';
import { readHead, type PayloadHead } from './metric.ts';
import { SPARKPLUG_FIELDS, type SparkplugOptions, type SparkplugSubscription } from './options.ts';
import { MalformedError, ProtoReader } from './proto-reader.ts';
import { sparkplugReason } from './reasons.ts';
import { RowWriter, UnknownMetricError } from './row-writer.ts';
import { parseTopic, type SparkplugTopic } from './topic.ts';

/**
 * Sparkplug B 3.0, as a host application reads it: births tell names and types of what data give by alias, a death
 * makes rows of quality STALE on request. What publishers really send is taken; what a strict host would throw away is
 * kept.
 */
export const sparkplugB: PayloadFormat<'sparkplugB', SparkplugSubscription> = {
  name: 'sparkplugB',
  doc: 'Sparkplug B, as a host application',
  options: SPARKPLUG_FIELDS,
  proposals: [{ name: 'sparkplugB', options: {}, topic: 'spBv1.0/#', ownsTopic: true }],
  says: () => ({ plcCode: true, tagAddress: true, timestamp: true }),
  compile: (subscription, scope) => new SparkplugReader(subscription, scope),
};

/** A message without rows, as it should be. */
const NO_ROWS = undefined;
const MAX_TOPICS = 10_000;

/** A payload, out of its envelope. */
interface Opened {
  readonly payload: Buffer;
  readonly head: PayloadHead;
}

class SparkplugReader implements CompiledFormat {
  readonly #options: SparkplugOptions;
  readonly #plcCode: string;
  readonly #nodes: EdgeNodes;
  readonly #rows: RowWriter;
  readonly #reader = new ProtoReader();
  readonly #topics = new Map<string, ReturnType<typeof parseTopic>>();

  constructor(subscription: FormatSubscription & SparkplugSubscription, scope: FormatScope) {
    this.#options = subscription.sparkplug;
    this.#plcCode = subscription.plcCode;
    this.#nodes = scope.edgeNodes;
    this.#rows = new RowWriter(this.#options, scope.tags, this.#reader, scope.keepsQualityCode);
  }

  decode(message: Message, names: TopicNames, into: TagValues): DecodeOutcome {
    return this.#decode(message, names, into, true);
  }

  decodeAside(message: Message, names: TopicNames, into: TagValues): DecodeOutcome {
    return this.#decode(message, names, into, false);
  }

  /** The payload's time and sequence number make each message another one; a death repeats what was made at connect. */
  hasOwnTime(topicName: string, payload: Buffer): boolean {
    const topic = this.#topicOf(topicName);
    if (topic === undefined) return false;
    if (topic === 'state' || topic.kind === 'command') return true;
    if (topic.kind === 'death') return false;
    try {
      return this.#open(payload).head.timeMs !== undefined;
    } catch (thrown) {
      if (thrown instanceof MalformedError || thrown instanceof TooManyValuesError) return false;
      throw thrown;
    }
  }

  #decode(message: Message, names: TopicNames, into: TagValues, isInTurn: boolean): DecodeOutcome {
    into.clear();
    const topic = this.#topicOf(message.topic);
    if (topic === undefined) return sparkplugReason('SPARKPLUG_TOPIC', message.topic);
    if (topic === 'state' || topic.kind === 'command') return NO_ROWS;
    // A retained message is cleared by an empty one.
    if (message.payload.length === 0) return NO_ROWS;
    const node = this.#nodes.of(topic);
    const plcCode = names.plcCode === '' ? topic.source : names.plcCode;
    try {
      const opened = this.#open(message.payload);
      this.#rows.begin(into, opened, message.receivedAtMs, plcCode);
      if (topic.kind === 'birth') return this.#readBirth(message, topic, node, opened, isInTurn);
      if (topic.kind === 'death') return this.#readDeath(message, topic, node, opened, isInTurn);
      return this.#readData(message, topic, node, opened, isInTurn);
    } catch (thrown) {
      if (thrown instanceof MalformedError) return sparkplugReason('SPARKPLUG_MALFORMED', thrown.message);
      if (thrown instanceof MemoryFullError) return sparkplugReason('SPARKPLUG_BIRTHS_FULL', thrown.message);
      if (!(thrown instanceof UnknownMetricError)) throw thrown;
      const reason = sparkplugReason('SPARKPLUG_UNKNOWN_METRIC', `${thrown.message} of ${topic.source}`);
      if (isInTurn) this.#wantBirth(node, reason.message);
      return reason;
    }
  }

  #readBirth(
    message: Message,
    topic: SparkplugTopic,
    node: EdgeNode,
    opened: Opened,
    isInTurn: boolean,
  ): DecodeOutcome {
    const metrics = new Born();
    const isLive = message.retained !== true;
    const bdSeq = this.#rows.birth(opened.payload, metrics, isLive);
    if (!isInTurn) return undefined;
    const { seq, timeMs } = opened.head;
    node.noteBirth(message, topic.device, { metrics, bdSeq, timeMs });
    if (!isLive) return undefined;
    if (topic.device === '') {
      node.sequence.begin(seq);
      node.noteLife(message);
    } else {
      this.#heard(message, node, seq);
    }
    return undefined;
  }

  #readData(message: Message, topic: SparkplugTopic, node: EdgeNode, opened: Opened, isInTurn: boolean): DecodeOutcome {
    if (isInTurn && message.retained !== true) this.#heard(message, node, opened.head.seq);
    this.#rows.data(opened.payload, node.born(topic.device));
    return undefined;
  }

  #readDeath(
    message: Message,
    topic: SparkplugTopic,
    node: EdgeNode,
    { head, payload }: Opened,
    isInTurn: boolean,
  ): DecodeOutcome {
    if (message.retained === true) return NO_ROWS;
    if (topic.device !== '') {
      if (isInTurn) this.#heard(message, node, head.seq);
      if (this.#options.staleRows) this.#rows.stale(node.born(topic.device), this.#rows.plcCode);
      return undefined;
    }
    if (!node.isKnown) return NO_ROWS;
    const isVerified =
      head.uuid === VERIFIED_DEATH &&
      node.isInDoubtSince(Number(payload.toString('latin1', head.bodyStart, head.bodyEnd)));
    if (!isVerified) {
      if (head.uuid === VERIFIED_DEATH) return NO_ROWS;
      const bdSeq = this.#rows.bdSeqOf(payload);
      if (bdSeq === undefined || bdSeq !== node.bdSeq) {
        if (isInTurn) this.#doubt(message, node, bdSeq);
        return NO_ROWS;
      }
    }
    if (this.#options.staleRows) this.#pushStale(topic, node);
    if (isInTurn) node.noteDeath(message);
    return undefined;
  }

  /** The death of another session than the present one comes late, or the publisher counts otherwise. */
  #doubt(message: Message, node: EdgeNode, bdSeq: string | undefined): void {
    this.#wantBirth(node, `a death has bdSeq ${bdSeq ?? '(none)'}, the birth ${node.bdSeq ?? '(none)'}`);
    if (this.#options.staleRows) node.doubt(message);
  }

  #pushStale(topic: SparkplugTopic, node: EdgeNode): void {
    this.#rows.stale(node.born(''), this.#rows.plcCode);
    for (const device of node.devices) {
      const levels = ['spBv1.0', topic.group, 'DDEATH', topic.node, device];
      const given = fillLevels(this.#plcCode, levels);
      this.#rows.stale(node.born(device), given === '' ? `${topic.nodeKey}/${device}` : given);
    }
  }

  /** A live message of the node, or of a device. */
  #heard(message: Message, node: EdgeNode, seq: number | undefined): void {
    node.noteLife(message);
    if (node.isFirstHeard(message)) this.#wantBirth(node, 'its birth was not heard');
    if (seq === undefined) return;
    const sequence = node.sequence.note(seq);
    if (sequence === 'filled') node.satisfied();
    else if (sequence === 'gap') {
      this.#wantBirth(node, `messages before number ${seq} are missing`, this.#options.reorderTimeoutMs);
    }
  }

  #wantBirth(node: EdgeNode, why: string, afterMs = 0): void {
    if (this.#options.rebirth) node.wantBirth(why, afterMs);
  }

  #open(given: Buffer): Opened {
    const head = readHead(this.#reader, given);
    if (head.uuid !== COMPRESSED) return { payload: given, head };
    const payload = inflateBody(given.subarray(head.bodyStart, head.bodyEnd));
    return { payload, head: readHead(this.#reader, payload) };
  }

  #topicOf(name: string): ReturnType<typeof parseTopic> {
    if (this.#topics.has(name)) return this.#topics.get(name);
    if (this.#topics.size >= MAX_TOPICS) this.#topics.clear();
    const topic = parseTopic(name);
    this.#topics.set(name, topic);
    return topic;
  }
}
