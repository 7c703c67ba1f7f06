import { describe, expect, it } from 'vitest';

import type { Subscription } from '../../../../src/config/config.ts';
import { fillSubscription, subscriptionProblems } from '../../../../src/config/kinds/subscription-fields.ts';
import { Reserve } from '../../../../src/core/reserve.ts';
import { SKIPPED } from '../../../../src/core/message.ts';
import { TagValues } from '../../../../src/core/tag-values.ts';
import { createDecoder } from '../../../../src/payload/decoder.ts';
import { FormatMemory, type EarlierMessages } from '../../../../src/payload/format-memory.ts';
import { PassingMemory } from '../../../../src/payload/passing-memory.ts';
import { LossyDisk, seededRandom } from '../../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../../support/recording-logger.ts';

const json = { preset: 'siemens-databus' };
const SUBSCRIPTIONS = [
  { topic: 'ie/d/j/simatic/v1/+/dp/r/+/+', format: 'json', json },
  { topic: 'ie/m/j/simatic/v1/+/dp', format: 'json', json },
] as unknown as Subscription[];

const dataTopic = (connection: string, app = 's7c1'): string => `ie/d/j/simatic/v1/${app}/dp/r/${connection}/default`;
const metadataTopic = (app = 's7c1'): string => `ie/m/j/simatic/v1/${app}/dp`;

type Names = Readonly<Record<string, string>>;

/** As a connector tells it, in the form of its makers' documentation. */
function metadata(connections: Readonly<Record<string, Names>>, app = 's7c1'): string {
  return JSON.stringify({
    seq: 1,
    hashVersion: 123_456_789,
    applicationName: 'SIMATIC S7 Connector',
    statustopic: `ie/s/j/simatic/v1/${app}/status`,
    connections: Object.entries(connections).map(([name, names]) => ({
      name,
      type: 's7',
      dataPoints: [
        {
          name: 'default',
          topic: dataTopic(name, app),
          publishType: 'bulk',
          dataPointDefinitions: Object.entries(names).map(([id, each]) => ({ name: each, id, dataType: 'Real' })),
        },
      ],
    })),
  });
}

const data = (...ids: string[]): string =>
  JSON.stringify({ seq: 1, vals: ids.map((id) => ({ id, val: 1, ts: '2022-07-21T13:01:50.159Z', qc: 3 })) });

/** One process that reads messages in their order, each with the next number. */
class Listener {
  readonly decoder;
  number: number;

  constructor(memory: EarlierMessages = new PassingMemory(), lastNo = 0, subscriptions = SUBSCRIPTIONS) {
    this.decoder = createDecoder(subscriptions.map(fillSubscription), '{plc}.{tag}', { memory });
    this.number = lastNo;
  }

  /** The names of the rows, or the code of the reason. */
  hear(topic: string, payload: string, how: 'decode' | 'decodeAside' = 'decode'): readonly string[] | string {
    const values = new TagValues(4);
    this.number += 1;
    const message = { number: this.number, topic, payload: Buffer.from(payload), receivedAtMs: 0 };
    const outcome = this.decoder[how](message, values);
    if (outcome === SKIPPED) return SKIPPED;
    return outcome?.code ?? values.tags.slice(0, values.length).map(({ name }) => name);
  }
}

describe('names of the databus', () => {
  it('are those of the metadata from the next message on, and the ids before', () => {
    const listener = new Listener();
    expect(listener.hear(dataTopic('PLC1'), data('101', '102'))).toEqual(['PLC1.101', 'PLC1.102']);
    expect(listener.hear(metadataTopic(), metadata({ PLC1: { 101: 'Motor.speed' } }))).toEqual([]);
    expect(listener.hear(dataTopic('PLC1'), data('101', '102'))).toEqual(['PLC1.Motor.speed', 'PLC1.102']);
  });

  it('are of one connection of one connector, each with ids of its own', () => {
    const listener = new Listener();
    listener.hear(metadataTopic(), metadata({ PLC1: { 101: 'a' }, PLC2: { 101: 'b' } }));
    listener.hear(metadataTopic('eip1'), metadata({ PLC1: { 101: 'c' } }, 'eip1'));
    const topics = [dataTopic('PLC1'), dataTopic('PLC2'), dataTopic('PLC1', 'eip1'), dataTopic('PLC3')];
    expect(topics.map((topic) => listener.hear(topic, data('101')))).toEqual([
      ['PLC1.a'],
      ['PLC2.b'],
      ['PLC1.c'],
      ['PLC3.101'],
    ]);
  });

  it('change with the metadata: an id may get another name, and lose it', () => {
    const listener = new Listener();
    listener.hear(metadataTopic(), metadata({ PLC1: { 101: 'a', 102: 'b' }, PLC2: { 101: 'c' } }));
    listener.hear(metadataTopic(), metadata({ PLC1: { 101: 'b', 102: 'a' } }));
    expect(listener.hear(dataTopic('PLC1'), data('101', '102'))).toEqual(['PLC1.b', 'PLC1.a']);
    expect(listener.hear(dataTopic('PLC2'), data('101'))).toEqual(['PLC2.101']);
    expect(listener.hear(metadataTopic(), '')).toBe(SKIPPED);
    expect(listener.hear(dataTopic('PLC1'), data('101'))).toEqual(['PLC1.b']);
    listener.hear(metadataTopic(), metadata({}));
    expect(listener.hear(dataTopic('PLC1'), data('101'))).toEqual(['PLC1.101']);
  });

  it('are not learnt from a message that is not in its turn, or asked for a time of its own', () => {
    const listener = new Listener();
    const told = metadata({ PLC1: { 101: 'a' } });
    expect(listener.hear(metadataTopic(), told, 'decodeAside')).toEqual([]);
    expect(listener.decoder.hasOwnTime(metadataTopic(), Buffer.from(told))).toBe(false);
    expect(listener.hear(dataTopic('PLC1'), data('101'))).toEqual(['PLC1.101']);
  });

  it('are not lost by an entry that lacks something, nor by __proto__', () => {
    const listener = new Listener();
    const [topic] = [dataTopic('PLC1')];
    const definitions = [{ id: '1' }, { name: 'x' }, 7, null, { id: '2', name: '' }, { id: '__proto__', name: 'p' }];
    const dataPoints = [
      { topic, dataPointDefinitions: definitions },
      { dataPointDefinitions: [{ id: '1', name: 'y' }] },
    ];
    expect(listener.hear(metadataTopic(), JSON.stringify({ connections: [{ dataPoints }] }))).toEqual([]);
    const ids = data('1', '2', '__proto__', 'constructor');
    expect(listener.hear(topic, ids)).toEqual(['PLC1.1', 'PLC1.2', 'PLC1.p', 'PLC1.constructor']);
  });

  it('are no reason to take any other message of the topic for metadata', () => {
    const listener = new Listener();
    for (const payload of ['{"connections":7}', '{"connections":[{"name":"PLC1","status":"good"}]}', '{}']) {
      expect(listener.hear(metadataTopic(), payload)).toBe('ROWS_MISSING');
    }
  });

  it('are refused where there is no room for them, and the former ones hold', () => {
    const disk = new LossyDisk(seededRandom(1));
    const listener = new Listener(memoryOn(disk, 1200));
    listener.hear(metadataTopic(), metadata({ PLC1: { 101: 'a' } }));
    expect(listener.hear(metadataTopic(), metadata({ PLC1: { 101: 'b'.repeat(700) } }))).toBe('NAMES_FULL');
    expect(listener.hear(dataTopic('PLC1'), data('101'))).toEqual(['PLC1.a']);
  });

  it('are after a crash those that held for the messages that the journal gives again', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const memory = memoryOn(disk);
    await memory.start('journal', 0);
    const listener = new Listener(memory);
    listener.hear(metadataTopic(), metadata({ PLC1: { 101: 'a' } }));
    listener.hear(dataTopic('PLC1'), data('101'));
    await memory.save(2);
    await memory.saved(2);
    const lost = [listener.hear(dataTopic('PLC1'), data('101'))];
    const news = metadata({ PLC1: { 101: 'b' } });
    listener.hear(metadataTopic(), news);
    lost.push(listener.hear(dataTopic('PLC1'), data('101')));
    await memory.save(4); // and the checkpoint of 4 is not written any more
    disk.crash();

    const again = memoryOn(disk);
    await again.start('journal', 2);
    const next = new Listener(again, 2);
    const found = [next.hear(dataTopic('PLC1'), data('101'))];
    next.hear(metadataTopic(), news);
    found.push(next.hear(dataTopic('PLC1'), data('101')));
    expect(found).toEqual(lost);
    expect(found).toEqual([['PLC1.a'], ['PLC1.b']]);
  });
});

function memoryOn(disk: LossyDisk, maxBytes = 1_000_000): FormatMemory {
  const fileSystem = disk.mount();
  const reserve = new Reserve('/journal', 0, fileSystem);
  return new FormatMemory({ dir: '/journal/formats', maxBytes, reserve, fileSystem, log: new RecordingLogger() });
}

describe('a dictionary of a mapping of one’s own', () => {
  const own = (options: object): object => ({ topic: 'line/#', format: 'json', json: options });
  const GOOD = {
    dictionary: { each: '/names/*', table: '{2}', key: '{#}', name: '{.}' },
    each: '/v/*',
    plc: '{2}',
    table: '{2}',
  };

  it('may have its names and values in one message, and names for the next one', () => {
    const listener = new Listener(new PassingMemory(), 0, [own(GOOD)] as unknown as Subscription[]);
    const big = '9007199254740993';
    const text = `{"names":{"1":"one","2":${big}},"v":{"1":5,"2":6}}`;
    expect(listener.hear('line/A', text)).toEqual(['A.1', 'A.2']);
    expect(listener.hear('line/A', text)).toEqual(['A.one', `A.${big}`]);
    expect(listener.hear('line/B', '{"v":{"1":5}}')).toEqual(['B.1']);
  });

  it('is for a table what the first topic by the alphabet tells, whichever came last', () => {
    const mapping = { ...GOOD, dictionary: { ...GOOD.dictionary, table: 'T' }, table: 'T' };
    const listener = new Listener(new PassingMemory(), 0, [own(mapping)] as unknown as Subscription[]);
    listener.hear('line/B', '{"names":{"1":"b"}}');
    listener.hear('line/A', '{"names":{"1":"a"}}');
    listener.hear('line/B', '{"names":{"1":"b2"}}');
    expect(listener.hear('line/C', '{"v":{"1":5}}')).toEqual(['C.a']);
  });

  it.each([
    [{ each: '/names/*', table: 'x', key: '{#}' }, '.json.dictionary must be an object of'],
    [{ ...GOOD.dictionary, each: 'names' }, '.json.dictionary must be a path from the document'],
    [{ ...GOOD.dictionary, key: '{' }, '.json.dictionary must be text with'],
  ])('is refused as %j', (dictionary, problem) => {
    const problems = subscriptionProblems(own({ ...GOOD, dictionary }));
    expect(problems.map(({ at, must }) => `${at} ${must}`).join('\n')).toContain(problem);
  });
});
