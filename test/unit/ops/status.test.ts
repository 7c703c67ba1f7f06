import { describe, expect, it } from 'vitest';

import { collectStatus, measurePending, type StatusSources } from '../../../src/ops/collect-status.ts';
import type { OracleFacts } from '../../../src/ops/destination-status.ts';
import type { DiskStatus, TagsStatus } from '../../../src/ops/status.ts';
import { type MadeUpSources, madeUpSources } from './made-up-sources.ts';

const SEVENTIES = {
  topic: 'plc/PLC01/tags',
  tagName: 'PLC01.D100',
  timestamp: '1970-01-21T09:28:13.825Z',
  receivedAt: '2025-11-02T14:30:25.000Z',
};

function tagsWith(facts: Partial<TagsStatus>): () => TagsStatus {
  return () => ({ ...madeUpSources().tags(), ...facts });
}

describe('collectStatus', () => {
  it('has every name that the interface promises', () => {
    const status = collectStatus(madeUpSources());
    expect(status).toMatchObject({
      bridgeId: 'gateway-01',
      version: '1.2.3',
      uptimeSeconds: 0,
      mqtt: { connected: true, protocolVersion: 5 },
      oracle: { state: 'connected', connectString: 'db.example:1521/FREEPDB1' },
      buffer: { size: 0, capacity: 1000 },
      journal: { bytes: 0, messages: 0, maxBytes: 1_000_000 },
      disks: [],
      rates: { valuesInPerSecond: 0, valuesOutPerSecond: 0, messagesPerSecond: 0 },
      actions: false,
      backups: { pendingFiles: 0, pendingRows: 0 },
      rolling: { windowSeconds: 300, avgBatchSize: 0, avgWriteLatencyMs: 0 },
      audit: { balanced: true, pending: 0 },
    });
    expect(Object.keys(status.counters)).toEqual([
      'messagesReceived',
      'messagesUndecodable',
      'messagesSkipped',
      'messagesDuplicate',
      'messagesMaybeRepeated',
      'valuesReceived',
      'valuesWritten',
      'valuesAlreadyThere',
      'valuesBackedUp',
      'valuesReplayed',
      'valuesRejected',
      'valuesDropped',
      'valuesFiltered',
    ]);
    expect(status.problems).toEqual([]);
    expect(status.advice).toEqual([]);
  });

  it('has what the broker granted of each subscription and what it brought, a hundred of them at most', () => {
    const sources = madeUpSources();
    const subscriptions = [
      { topic: 'a', qos: 1, grantedQos: 0, messages: 5, lastMessageAtMs: 0 },
      { topic: 'b', qos: 2, grantedQos: undefined, messages: 0, lastMessageAtMs: undefined },
      ...Array.from({ length: 200 }, (_, i) => ({ topic: `c/${i}`, qos: 1, messages: 0 })),
    ];
    const { mqtt } = collectStatus({ ...sources, mqtt: () => ({ ...sources.mqtt(), subscriptions }) });
    expect(mqtt.subscriptions.slice(0, 2)).toEqual([
      { topic: 'a', qos: 1, grantedQos: 0, messages: 5, lastMessageAt: '1970-01-01T00:00:00.000Z' },
      { topic: 'b', qos: 2, messages: 0 },
    ]);
    expect(mqtt.subscriptions).toHaveLength(100);
  });

  it('names destinations that files are for and the configuration does not know', () => {
    const sources = madeUpSources();
    const homeless = { files: 1, rows: 12, destinations: ['alarms'] };
    const { advice } = collectStatus({ ...sources, backups: () => ({ ...sources.backups(), homeless }) });
    expect(advice).toMatchObject([
      {
        problem: '12 rows for a destination not in oracle.destinations, kept in CSV: alarms (1 file).',
        remedy: expect.stringContaining('backups replay FILE --to NAME') as string,
      },
    ]);
  });

  it('counts whole seconds since the start', async () => {
    const sources = madeUpSources();
    await sources.clock.advance(61_999);
    expect(collectStatus(sources).uptimeSeconds).toBe(61);
  });

  it('averages batches over the window and forgets those before it', async () => {
    const sources = madeUpSources();
    const { batchSize, writeLatencyMs } = sources.rolling;
    for (const [rows, ms] of [
      [500, 10],
      [100, 20.005],
    ] as const) {
      batchSize.add(rows);
      writeLatencyMs.add(ms);
    }
    expect(collectStatus(sources).rolling).toMatchObject({ avgBatchSize: 300, avgWriteLatencyMs: 15, batches: 2 });
    await sources.clock.advance(300_001);
    expect(collectStatus(sources).rolling).toMatchObject({ avgBatchSize: 0, avgWriteLatencyMs: 0, batches: 0 });
  });

  it('gives the state as it is now: later counts do not change it', () => {
    const sources = madeUpSources();
    const before = collectStatus(sources);
    sources.counters.valuesReceived = 7;
    expect(before.counters.valuesReceived).toBe(0);
  });

  it('measures what is pending in each stage', () => {
    const sources = madeUpSources();
    sources.expanderPending = () => 1;
    sources.buffer = { size: 20, capacity: 1000 };
    sources.writerPending = () => 300;
    sources.counters.valuesReceived = 321;
    expect(measurePending(sources)).toBe(321);
    expect(collectStatus(sources).audit).toEqual({ balanced: true, pending: 321, difference: 0 });
  });

  it('says why Oracle is down and since when', () => {
    const sources = madeUpSources();
    const reason = { code: 'ORA-12541', message: 'ORA-12541: no listener at 10.0.0.5 port 1521' };
    sources.oracle = () => ({ state: 'down', reason, sinceMs: Date.UTC(2025, 10, 2, 14, 30) });
    const status = collectStatus(sources);
    const { connectString } = sources;
    expect(status.oracle).toEqual({ state: 'down', reason, since: '2025-11-02T14:30:00.000Z', connectString });
    expect(status.problems).toEqual([
      'Oracle is down since 2025-11-02T14:30:00Z: ORA-12541: no listener at 10.0.0.5 port 1521. Values go to CSV backups.',
    ]);
  });
});

describe('the broker in a status', () => {
  it('has its address and the counts, and no reason while it is connected', () => {
    const sources = madeUpSources();
    sources.mqtt = () => ({ ...madeUpSources().mqtt(), broker: 'mqtt://b:1883', reason: '', remedy: '' });
    expect(collectStatus(sources).mqtt).toEqual({
      connected: true,
      protocolVersion: 5,
      silentSubscriptions: [],
      subscriptions: [],
      broker: 'mqtt://b:1883',
      unackedMessages: 0,
      subscriptionProblems: [],
      sessionsLost: 0,
      sessionsStarved: 0,
    });
  });

  it('has reason, remedy and time while it is not, and the remedy in the advice', () => {
    const sources = madeUpSources();
    sources.mqtt = refusing;
    const { advice, mqtt } = collectStatus(sources);
    expect(mqtt).toMatchObject({
      connected: false,
      broker: 'mqtt://b',
      reason: 'mqtt://b: no',
      remedy: 'check mqtt.username and mqtt.password',
      since: '2025-11-02T14:30:00.000Z',
    });
    expect(advice[0]?.remedy).toMatch(
      /^Check mqtt\.username and mqtt\.password\. `mqtt-oracle-bridge check --connect`/,
    );
  });
});

describe('the problems in a status', () => {
  const cases: readonly (readonly [what: string, change: (sources: MadeUpSources) => void, sentence: string])[] = [
    ['a value is missing', (s) => void (s.counters.valuesReceived = 1), 'does not balance: 1 value missing.'],
    ['values are doubled', (s) => void (s.counters.valuesWritten = 2000), '2,000 values counted twice'],
    ['the broker is away', (s) => void (s.mqtt = offline), 'Not connected to the MQTT broker'],
    [
      'the broker refuses',
      (s) => void (s.mqtt = refusing),
      'since 2025-11-02T14:30:00Z: nothing is received. mqtt://b: no',
    ],
    ['the session was lost', (s) => void (s.mqtt = sessionLost), 'At 2025-11-02T14:30:00Z the broker had lost'],
    ['the session is starved', (s) => void (s.mqtt = starved('none')), 'It still gets nothing.'],
    ['the session was starved', (s) => void (s.mqtt = starved('receiveMaximum')), 'with a receive maximum of 65,535.'],
    ['3.1.1 had to help', (s) => void (s.mqtt = starved('mqtt311')), 'It goes on with MQTT 3.1.1.'],
    [
      'another process runs as this bridge',
      (s) => void (s.mqtt = doubled),
      'Another bridge runs with the id gateway-01',
    ],
    ['the journal is full', (s) => void (s.journal = fullJournal), 'The journal is full'],
    [
      'the journal is soon full',
      (s) => void (s.journal = () => ({ ...madeUpSources().journal(), bytes: 500_000, fullInSeconds: 12_000 })),
      'The journal has 488.3 KiB of 976.6 KiB, and is full in 3 h 20 min at this rate',
    ],
    [
      'a disk has little room',
      (s) => void (s.disks = () => [{ ...ROOMY, freeBytes: 2 ** 28, state: 'low' }]),
      'The disk of journal.dir and backup.dir has 256 MiB of 8 GiB free.',
    ],
    [
      'a disk is soon full',
      (s) => void (s.disks = () => [{ ...ROOMY, directories: ['backup.dir'], state: 'low', fullInSeconds: 45 }]),
      'The disk of backup.dir has 4 GiB of 8 GiB free, and is full in 45 s at this rate.',
    ],
    [
      'a disk is full',
      (s) => void (s.disks = () => [{ ...ROOMY, directories: ['backup.dir'], freeBytes: 4096, state: 'full' }]),
      'The disk of backup.dir is full: 4 KiB of 8 GiB are free.',
    ],
    ['a subscription was refused', (s) => void (s.mqtt = refused), 'plc/+/tags: refused (not authorized)'],
    ['the broker loses topics', (s) => void (s.mqtt = losing), 'what comes on such topics is lost'],
    ['a notice is not taken', (s) => void (s.mqtt = withNoticesProblem(true)), 'The broker does not take the notice'],
    ['Oracle is retried', (s) => void (s.oracle = () => ({ state: 'retrying' })), 'It is being tried again.'],
    ['the buffer is full', fillBuffer, 'The buffer is full.'],
    ['values were dropped', dropValues, '3 values dropped since the start'],
    ['backups wait', (s) => void (s.backups = backups(s, { pendingFiles: 2, pendingRows: 1500 })), '1,500 rows wait'],
    [
      'rows were rejected',
      (s) => void (s.backups = backups(s, { rejectedFiles: 1, rejectedRows: 1 })),
      '1 row rejected',
    ],
    [
      'tags turned into texts',
      (s) => void (s.tags = tagsWith({ turnedIntoText: { count: 4, turns: 5, examples: ['A', 'B', 'C'] } })),
      '4 tags that were numbers are texts now: A, B, C ….',
    ],
    [
      'a tag turned into a text',
      (s) => void (s.tags = tagsWith({ turnedIntoText: { count: 1, turns: 1, examples: ['A'] } })),
      '1 tag that was a number is a text now: A.',
    ],
    [
      'a tag has a time of 1970',
      (s) => void (s.tags = tagsWith({ implausibleTimes: { tags: 1, values: 5, first: SEVENTIES } })),
      '1 tag has a time that can not be right, the first PLC01.D100 on plc/PLC01/tags: 1970-01-21T09:28:13Z, received at 2025-11-02T14:30:25Z.',
    ],
    [
      'tags have such times',
      (s) => void (s.tags = tagsWith({ implausibleTimes: { tags: 3, values: 5, first: SEVENTIES } })),
      '3 tags have times that can not be right, the first PLC01.D100',
    ],
    [
      'messages were undecodable',
      (s) => void (s.backups = backups(s, { undecodableFiles: 1, undecodableRows: 4 })),
      '4 messages undecodable, kept in CSV (1 file).',
    ],
  ];

  it('say nothing of the notices while the broker is away', () => {
    const { problems } = collectStatus({ ...madeUpSources(), mqtt: withNoticesProblem(false) });
    expect(problems).toEqual([expect.stringContaining('Not connected to the MQTT broker')]);
  });

  const FULL: DiskStatus = { ...ROOMY, freeBytes: 4096, state: 'full' };
  it.each([
    ['is found full', [FULL], 'The disk of journal.dir and backup.dir is full (4 KiB of 8 GiB free)'],
    ['refuses, though it was found roomy', [ROOMY], 'The disk of journal.dir and backup.dir is full'],
    ['refuses, and does not tell its room', [], 'The disk of journal.dir is full'],
  ] as const)('name the disk of the journal that %s, and what to do about it', (_, disks, sentence) => {
    const sources = madeUpSources();
    sources.journal = () => ({ ...fullJournal(), fullBy: 'disk' });
    sources.disks = () => disks;
    const { advice } = collectStatus(sources);
    expect(advice.map(({ problem }) => problem)).toEqual([`${sentence}: new messages are not acknowledged.`]);
    expect(advice[0]?.remedy).toMatch(/^Free space there/);
  });

  it('say first that Oracle must come back, where it is away and backups fill the disk', () => {
    const sources = madeUpSources();
    sources.oracle = () => ({ state: 'down' });
    sources.disks = () => [{ ...ROOMY, state: 'low', fullInSeconds: 4000 }];
    const { advice } = collectStatus(sources);
    expect(advice.find(({ problem }) => problem.startsWith('The disk'))?.remedy).toMatch(/^Bring Oracle back/);
  });

  it.each(cases)('are named when %s', (_what, change, sentence) => {
    const sources = madeUpSources();
    change(sources);
    const { advice, problems } = collectStatus(sources);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(sentence);
    expect(advice).toEqual([{ problem: problems[0], remedy: expect.stringMatching(/^[A-Z].{15,}\.$/s) as string }]);
  });
});

describe('the advice for Oracle', () => {
  const remedyFor = (oracle: OracleFacts): string | undefined => {
    const sources = madeUpSources();
    sources.oracle = () => oracle;
    return collectStatus(sources).advice[0]?.remedy;
  };
  const reason = { code: 'ORA-01653', message: 'unable to extend table' };

  it('is that of the error where it has one', () => {
    const remedy = 'A tablespace is full: the DBA must extend it.';
    expect(remedyFor({ state: 'down', reason, kind: 'resource', remedy })).toContain(remedy);
  });

  it('says where to look when the database is not reached, and asks for a DBA when it answers', () => {
    expect(remedyFor({ state: 'down', reason, kind: 'connection', remedy: '' })).toContain('oracle.connectString');
    expect(remedyFor({ state: 'retrying' })).toContain('oracle.connectString');
    expect(remedyFor({ state: 'retrying', reason, kind: 'passing', remedy: '' })).toContain('DBA');
  });
});

const ROOMY: DiskStatus = {
  directories: ['journal.dir', 'backup.dir'],
  freeBytes: 4 * 2 ** 30,
  totalBytes: 8 * 2 ** 30,
  state: 'ok',
};

const fullJournal: StatusSources['journal'] = () => ({
  ...madeUpSources().journal(),
  state: 'full',
  fullBy: 'maxBytes',
});

const offline: StatusSources['mqtt'] = () => ({ ...madeUpSources().mqtt(), connected: false });

const AT_MS = Date.UTC(2025, 10, 2, 14, 30);

const refusing: StatusSources['mqtt'] = () => ({
  ...offline(),
  broker: 'mqtt://b',
  reason: 'mqtt://b: no',
  remedy: 'check mqtt.username and mqtt.password',
  sinceMs: AT_MS,
});

const sessionLost: StatusSources['mqtt'] = () => ({
  ...madeUpSources().mqtt(),
  sessionsLost: 1,
  sessionLostAtMs: AT_MS,
});

const starved =
  (starvedMeasure: 'none' | 'receiveMaximum' | 'mqtt311'): StatusSources['mqtt'] =>
  () => ({ ...madeUpSources().mqtt(), sessionsStarved: 1, sessionStarvedAtMs: AT_MS, starvedMeasure });

const doubled: StatusSources['mqtt'] = () => ({
  ...madeUpSources().mqtt(),
  namesake: 'Another bridge runs with the id gateway-01: process 1 on elsewhere.',
});

const refused: StatusSources['mqtt'] = () => ({
  ...madeUpSources().mqtt(),
  subscriptionProblems: ['plc/+/tags: refused (not authorized)'],
});

const withNoticesProblem =
  (connected: boolean): StatusSources['mqtt'] =>
  () => ({
    ...madeUpSources().mqtt(),
    connected,
    notices: {
      connected: true,
      notTaken: 1,
      problems: [{ problem: 'The broker does not take the notice x.', remedy: 'Let it take larger packets.' }],
    },
  });

const losing: StatusSources['mqtt'] = () => ({
  ...madeUpSources().mqtt(),
  manners: [
    {
      problem: 'On the broker what comes on such topics is lost.',
      remedy: 'End the filters in mqtt.subscriptions with # instead of +.',
    },
  ],
});

function fillBuffer(sources: MadeUpSources): void {
  sources.buffer = { size: 1000, capacity: 1000 };
  sources.counters.valuesReceived = 1000;
}

function dropValues(sources: MadeUpSources): void {
  sources.counters.valuesReceived = 3;
  sources.counters.valuesDropped = 3;
}

function backups(sources: StatusSources, change: Partial<ReturnType<StatusSources['backups']>>) {
  const before = sources.backups();
  return () => ({ ...before, ...change });
}

describe('subscriptions that brought no message', () => {
  it('stand in the status with their time, 100 of them at most', () => {
    const sources = madeUpSources();
    sources.silentSubscriptions = () => [{ topic: 'plc/+/tags', sinceMs: 0 }];
    expect(collectStatus(sources).mqtt.silentSubscriptions).toEqual([
      { topic: 'plc/+/tags', since: '1970-01-01T00:00:00.000Z' },
    ]);
    sources.silentSubscriptions = () => Array.from({ length: 101 }, (_, i) => ({ topic: `t/${i}`, sinceMs: 0 }));
    expect(collectStatus(sources).mqtt.silentSubscriptions).toHaveLength(100);
  });
});
