import { describe, expect, it } from 'vitest';

import { propose } from '../../../src/payload/discovery/proposals.ts';
import { sparkplugPayload } from '../../support/sparkplug-encoder.ts';
import { shapeOf } from '../../../src/payload/discovery/shape.ts';
import { TopicSurvey } from '../../../src/payload/discovery/topic-survey.ts';

const POLLING = '{"plc_code":"P1","tag_values":{"D1":1,"D2":2}}';
const NAMELESS = '{"tag_values":{"D1":1}}';

function survey(...messages: readonly (readonly [topic: string, payload: string | Buffer])[]): TopicSurvey {
  const found = new TopicSurvey();
  for (const [topic, payload] of messages) found.add({ topic, payload: Buffer.from(payload), retain: false });
  return found;
}

function proposedFor(...messages: readonly (readonly [topic: string, payload: string | Buffer])[]): object[] {
  return propose(survey(...messages).topics()).proposals.map(({ subscription }) => subscription);
}

describe('the shape of a payload', () => {
  it.each([
    ['12.5', 'number'],
    [' -3e7 ', 'number'],
    ['TRUE', 'boolean'],
    ['RUN', 'text'],
    ['', 'empty'],
    ['[1,2]', 'JSON array of 2'],
    ['{"a":1,"b":{"c":2}}', 'JSON {a, b: …}'],
    [Buffer.from([0x1f, 0x8b, 8]), 'gzip'],
    [Buffer.from([0x41, 0x20, 0, 0]), 'binary'],
    [Buffer.from([0xff, 0xfe]), 'binary'],
  ])('of %j is %s', (payload, text) => {
    expect(shapeOf('a/b', Buffer.from(payload)).text).toBe(text);
  });

  it('is told by the topic for Sparkplug B', () => {
    expect(shapeOf('spBv1.0/G/NBIRTH/E', Buffer.from([8, 1])).text).toBe('Sparkplug B');
  });
});

describe('the survey of topics', () => {
  it('counts, and keeps the first payload', () => {
    const found = survey(['a', '1'], ['b', '22'], ['b', '333']);
    found.add({ topic: 'a', payload: Buffer.alloc(0), retain: true });
    found.add({ topic: 'b', payload: Buffer.from('4'), retain: true });
    expect(found.topics()).toMatchObject([
      { topic: 'b', messages: 3, bytes: 6, maxBytes: 3, retained: 1, sample: Buffer.from('22') },
      { topic: 'a', messages: 2, bytes: 1, retained: 1 },
    ]);
    expect([found.messages, found.bytes]).toEqual([5, 7]);
  });

  it('stays small with topics and payloads of any number and length', () => {
    const limits = { maxTopics: 10, maxTopicCharacters: 100, maxSampleBytes: 5, maxAllSampleBytes: 12 };
    const found = new TopicSurvey(limits);
    found.add({ topic: 'x'.repeat(90), payload: Buffer.from('123456'), retain: false });
    for (let i = 0; i < 1000; i += 1) found.add({ topic: `t/${i}`, payload: Buffer.from('1234'), retain: false });
    expect(found.topics()).toHaveLength(4);
    expect(found.topics().filter(({ sample }) => sample !== undefined)).toHaveLength(3);
    expect(found.messagesLeftOut).toBe(997);
    expect(found.messages).toBe(1001);
  });

  it('lets go of the buffer that a payload is a part of', () => {
    const whole = Buffer.from('0123456789');
    const found = new TopicSurvey();
    found.add({ topic: 'a', payload: whole.subarray(2, 4), retain: false });
    whole.fill(0);
    expect(found.topics()[0]!.sample).toEqual(Buffer.from('23'));
  });
});

describe('a subscription is proposed', () => {
  it.each([
    [
      'polling whose payload names the PLC',
      [
        ['plc/A/tags', POLLING],
        ['plc/B/tags', POLLING],
      ],
      { topic: 'plc/+/tags', format: 'polling' },
    ],
    [
      'polling whose topic does',
      [
        ['plc/A/tags', NAMELESS],
        ['plc/B/tags', NAMELESS],
      ],
      { topic: 'plc/+/tags', format: 'polling', plcCode: '{2}' },
    ],
    [
      'single values',
      [
        ['plant/A/D1', '1'],
        ['plant/A/D2', 'RUN'],
        ['plant/B/D1', '{"value":7}'],
      ],
      { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
    ],
    [
      'single values of several halls',
      [
        ['plant/h1/A/D1', '1'],
        ['plant/h2/B/D2', '2'],
      ],
      { topic: 'plant/+/+/+', format: 'scalar', plcCode: '{2}-{3}', tagAddress: '{4}' },
    ],
    [
      'names that come on a topic of their own',
      [['ie/m/j/simatic/v1/s7c1/dp', '{"connections":[]}']],
      { topic: 'ie/m/j/simatic/v1/+/dp', format: 'json', json: { preset: 'siemens-databus' } },
    ],
    ['one topic', [['plant/A/D1', '1']], { topic: 'plant/A/D1', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' }],
    [
      'topics that begin with a slash',
      [
        ['/A/D1', '1'],
        ['/A/D2', '1'],
      ],
      { topic: '/A/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
    ],
  ] as const)('for %s', (_what, messages, expected) => {
    expect(proposedFor(...messages)).toEqual([expected]);
  });

  it('for Sparkplug by its topics alone, also where no birth was heard that tells what data mean', () => {
    const [named, byAlias] = [
      { name: 'a', type: 3, int: 1 },
      { alias: 1, int: 1 },
    ].map((metric) => sparkplugPayload({ timeMs: 1, seq: 1, metrics: [metric] }));
    const found = (...messages: readonly (readonly [string, Buffer])[]) =>
      propose(survey(...messages).topics()).proposals;
    const subscription = { topic: 'spBv1.0/#', format: 'sparkplugB' };
    expect(found(['spBv1.0/G/NDATA/N', named!], ['spBv1.0/G/NDATA/M', byAlias!])).toMatchObject([
      { subscription, topics: 2, tried: 2, read: 1, rows: 1, exampleTag: 'G/N.a' },
    ]);
    const [unread] = found(['spBv1.0/G/NDATA/M', byAlias!]);
    expect(unread).toMatchObject({ subscription, read: 0, reason: { code: 'SPARKPLUG_UNKNOWN_METRIC' } });
    expect(found(['spBv1.0/G/NDATA/M', Buffer.from('{}')])).toMatchObject([{ subscription, read: 0 }]);
  });

  it('for each kind of message, with what it reads, and with what it overlaps', () => {
    const messages = [
      ['plant/A/D1', '1'],
      ['plant/B/D1', '2'],
      ['plant/A/tags', POLLING],
    ] as const;
    const { proposals } = propose(survey(...messages).topics());
    expect(proposals).toMatchObject([
      { name: 'scalar', topics: 2, tried: 2, read: 2, rows: 2, exampleTag: 'A.D1', overlaps: [] },
      { name: 'polling', topics: 1, tried: 1, read: 1, rows: 2, exampleTag: 'P1.D1', overlaps: [] },
    ]);
    const wide = propose(survey(...messages, ['plant/B/D2', '3']).topics()).proposals;
    expect(wide.map(({ overlaps }) => overlaps)).toEqual([['plant/A/tags'], ['plant/+/+']]);
  });
});

describe('topics that no format reads', () => {
  it('are named, with the reason', () => {
    const { proposals, unread } = propose(
      survey(['kw/iot', '{"values":[{"id":"a","v":1}]}'], ['raw/1', Buffer.from([0xff, 1])]).topics(),
      [],
    );
    expect(proposals).toEqual([]);
    expect(unread).toMatchObject([
      { shape: 'JSON {values: …}', topics: 1, example: 'kw/iot' },
      { shape: 'binary', topics: 1, example: 'raw/1' },
    ]);
  });
});
