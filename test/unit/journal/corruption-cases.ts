import { FRAME_OVERHEAD_BYTES } from '../../../src/journal/frame.ts';
import { HEADER_BYTES, MESSAGES_PER_SEGMENT, segmentName } from '../../../src/journal/segment.ts';
import { DIRECTORY, SampleJournal, takeAll } from './sample-journal.ts';

const TOPIC_BYTES = 'plant/line/tag'.length;
/** Every payload has four bytes. */
const FRAME_BYTES = FRAME_OVERHEAD_BYTES + TOPIC_BYTES + 4;
const nameOf = (segmentNo: number): string => segmentName(segmentNo * MESSAGES_PER_SEGMENT);
export const frameAt = (index: number): number => HEADER_BYTES + index * FRAME_BYTES;

/** What the journal was left with: three segments of three messages, nothing settled. */
export const LEFT = [
  ['a-00', 'a-01', 'a-02'],
  ['b-00', 'b-01', 'b-02'],
  ['c-00', 'c-01', 'c-02'],
];
export const ALL = LEFT.flat();
export const without = (...gone: string[]): string[] => ALL.filter((text) => !gone.includes(text));

interface Case {
  readonly name: string;
  readonly damage: (sample: SampleJournal) => Promise<void>;
  readonly recovered: readonly string[];
  /** A phrase of the log; none: nothing is amiss. */
  readonly logged?: string;
  readonly setAside?: readonly string[];
}

/** Changes the bytes of one segment. */
export function edit(segmentNo: number, change: (bytes: Buffer) => Buffer): Case['damage'] {
  return async (sample) => {
    const bytes = await sample.files.read(`${DIRECTORY}/${nameOf(segmentNo)}`);
    await sample.replace(nameOf(segmentNo), change(bytes));
  };
}

export function flip(segmentNo: number, offset: number): Case['damage'] {
  return edit(segmentNo, (bytes) => {
    bytes[offset]! ^= 0x10;
    return bytes;
  });
}

const cut = (segmentNo: number, size: number): Case['damage'] => edit(segmentNo, (bytes) => bytes.subarray(0, size));
const add = (segmentNo: number, more: Buffer): Case['damage'] =>
  edit(segmentNo, (bytes) => Buffer.concat([bytes, more]));
const put =
  (name: string, bytes: Buffer): Case['damage'] =>
  (sample) =>
    sample.replace(name, bytes);
export const drop =
  (segmentNo: number): Case['damage'] =>
  (sample) =>
    sample.files.remove(`${DIRECTORY}/${nameOf(segmentNo)}`);

/** Two segments of a journal with another id. */
async function stranger(): Promise<Buffer> {
  const other = new SampleJournal();
  other.clock.random = () => 0.9;
  await other.leave(['z-00', 'z-01']);
  return other.files.read(`${DIRECTORY}/${nameOf(1)}`);
}

const TORN = 'torn tail of the journal cut off';
const DAMAGED = 'damaged bytes in the journal set aside';
const MISSING = 'messages are missing in the journal';
const FOREIGN = 'file in the journal directory belongs to another journal or has another name and is ignored';

export const CASES: readonly Case[] = [
  { name: 'nothing is damaged', damage: () => Promise.resolve(), recovered: ALL },
  {
    name: 'the newest frame is torn in its payload',
    damage: cut(3, frameAt(3) - 2),
    recovered: without('c-02'),
    logged: TORN,
  },
  {
    name: 'the newest frame is torn in its length',
    damage: cut(3, frameAt(2) + 3),
    recovered: without('c-02'),
    logged: TORN,
  },
  { name: 'the newest segment has a tail of zeros', damage: add(3, Buffer.alloc(5000)), recovered: ALL, logged: TORN },
  {
    name: 'the newest segment has a tail of ones',
    damage: add(3, Buffer.alloc(500, 255)),
    recovered: ALL,
    logged: TORN,
  },
  {
    name: 'the newest frames were zeroed',
    damage: edit(3, (bytes) => bytes.fill(0, frameAt(1))),
    recovered: without('c-01', 'c-02'),
    logged: TORN,
  },
  {
    name: 'a bit of a length is flipped',
    damage: flip(2, frameAt(1)),
    recovered: without('b-01'),
    logged: DAMAGED,
    setAside: [`damaged-${2 * MESSAGES_PER_SEGMENT}-${frameAt(1)}.bin`],
  },
  {
    name: 'a bit of a length is flipped that makes it huge',
    damage: flip(2, frameAt(0) + 3),
    recovered: without('b-00'),
    logged: DAMAGED,
    setAside: [`damaged-${2 * MESSAGES_PER_SEGMENT}-${frameAt(0)}.bin`],
  },
  {
    name: 'a bit of a CRC is flipped',
    damage: flip(2, frameAt(1) + 4),
    recovered: without('b-01'),
    logged: DAMAGED,
    setAside: [`damaged-${2 * MESSAGES_PER_SEGMENT}-${frameAt(1)}.bin`],
  },
  {
    name: 'a bit of a message number is flipped',
    damage: flip(1, frameAt(1) + 8),
    recovered: without('a-01'),
    logged: DAMAGED,
    setAside: [`damaged-${MESSAGES_PER_SEGMENT}-${frameAt(1)}.bin`],
  },
  {
    name: 'a bit of a topic length is flipped',
    damage: flip(1, frameAt(0) + 27),
    recovered: without('a-00'),
    logged: DAMAGED,
    setAside: [`damaged-${MESSAGES_PER_SEGMENT}-${frameAt(0)}.bin`],
  },
  {
    name: 'a bit of a payload is flipped in the middle of the newest segment',
    damage: flip(3, frameAt(2) - 1),
    recovered: without('c-01'),
    logged: DAMAGED,
    setAside: [`damaged-${3 * MESSAGES_PER_SEGMENT}-${frameAt(1)}.bin`],
  },
  {
    name: 'a bit of the last payload of an older segment is flipped',
    damage: flip(1, frameAt(3) - 1),
    recovered: without('a-02'),
    logged: DAMAGED,
    setAside: [`damaged-${MESSAGES_PER_SEGMENT}-${frameAt(2)}.bin`],
  },
  {
    name: 'bytes were taken out of the middle of a segment',
    damage: edit(2, (bytes) => Buffer.concat([bytes.subarray(0, frameAt(1) + 7), bytes.subarray(frameAt(1) + 19)])),
    recovered: without('b-01'),
    logged: DAMAGED,
    setAside: [`damaged-${2 * MESSAGES_PER_SEGMENT}-${frameAt(1)}.bin`],
  },
  {
    name: 'bytes were put into the middle of a segment',
    damage: edit(2, (bytes) =>
      Buffer.concat([bytes.subarray(0, frameAt(1)), Buffer.alloc(77, 7), bytes.subarray(frameAt(1))]),
    ),
    recovered: ALL,
    logged: DAMAGED,
    setAside: [`damaged-${2 * MESSAGES_PER_SEGMENT}-${frameAt(1)}.bin`],
  },
  {
    name: 'a frame stands twice in a segment',
    damage: edit(2, (bytes) => Buffer.concat([bytes.subarray(0, frameAt(2)), bytes.subarray(frameAt(1))])),
    recovered: ALL,
    logged: DAMAGED,
    setAside: [`damaged-${2 * MESSAGES_PER_SEGMENT}-${frameAt(2)}.bin`],
  },
  {
    name: 'a segment in the middle is cut off between frames',
    damage: cut(2, frameAt(1)),
    recovered: without('b-01', 'b-02'),
    logged: MISSING,
  },
  {
    name: 'a segment in the middle is cut off within a frame',
    damage: cut(2, frameAt(1) + 9),
    recovered: without('b-01', 'b-02'),
    logged: MISSING,
    setAside: [`damaged-${2 * MESSAGES_PER_SEGMENT}-${frameAt(1)}.bin`],
  },
  {
    name: 'a segment in the middle is missing',
    damage: drop(2),
    recovered: without(...LEFT[1]!),
    logged: MISSING,
  },
  { name: 'the newest segment is empty', damage: put(nameOf(4), Buffer.alloc(0)), recovered: ALL },
  { name: 'the newest segment has a torn header', damage: put(nameOf(4), Buffer.from('MQORAJNL\x01')), recovered: ALL },
  { name: 'the newest segment is all zeros', damage: put(nameOf(4), Buffer.alloc(4096)), recovered: ALL, logged: TORN },
  {
    name: 'a segment among others is empty',
    damage: cut(2, 0),
    recovered: without(...LEFT[1]!),
    logged: MISSING,
  },
  {
    name: 'the header of the newest segment is damaged',
    damage: flip(3, 30),
    recovered: ALL,
    logged: DAMAGED,
    setAside: [`damaged-${3 * MESSAGES_PER_SEGMENT}-0.bin`],
  },
  {
    name: 'the header of the oldest segment is damaged',
    damage: flip(1, 2),
    recovered: ALL,
    logged: DAMAGED,
    setAside: [`damaged-${MESSAGES_PER_SEGMENT}-0.bin`],
  },
  {
    name: 'a segment was copied under another number',
    damage: async (sample) => sample.replace(nameOf(7), await sample.files.read(`${DIRECTORY}/${nameOf(1)}`)),
    recovered: ALL,
    logged: FOREIGN,
  },
  {
    name: 'an older segment of another journal stands among ours',
    damage: async (sample) => sample.replace(nameOf(1), await stranger()),
    recovered: without(...LEFT[0]!),
    logged: FOREIGN,
  },
  {
    name: 'the tail of the newest segment holds frames of another',
    damage: async (sample) => {
      const other = await sample.files.read(`${DIRECTORY}/${nameOf(2)}`);
      await add(3, other.subarray(HEADER_BYTES))(sample);
    },
    recovered: ALL,
    logged: TORN,
  },
  {
    name: 'files that are none of ours lie about',
    damage: async (sample) => {
      for (const name of ['subscriptions.json', 'segment-1.log', 'segment-0000000000000005.log', 'core.1234']) {
        await sample.replace(name, Buffer.from('x'));
      }
    },
    recovered: ALL,
  },
  {
    name: 'the checkpoint is corrupt',
    damage: put('checkpoint.json', Buffer.from('{"version":1,"journalId":"x"}\n00000000\n')),
    recovered: ALL,
    logged: 'journal checkpoint is damaged, all that is in the journal counts as open',
  },
  {
    name: 'the checkpoint is empty',
    damage: put('checkpoint.json', Buffer.alloc(0)),
    recovered: ALL,
    logged: 'journal checkpoint is damaged, all that is in the journal counts as open',
  },
  {
    name: 'the checkpoint belongs to another journal',
    damage: async (sample) => {
      const other = new SampleJournal();
      other.clock.random = () => 0.9;
      const journal = await other.open();
      await other.fill(journal, 'z-00');
      for (const message of await takeAll(journal)) journal.done(message, 0);
      await journal.saveCheckpoint();
      await journal.close();
      await sample.replace('checkpoint.json', await other.files.read(`${DIRECTORY}/checkpoint.json`));
    },
    recovered: ALL,
    logged: 'journal checkpoint belongs to another journal and is ignored',
  },
  {
    name: 'a checkpoint that was being written is left over',
    damage: put('checkpoint.json.tmp', Buffer.from('{"version":')),
    recovered: ALL,
  },
];
