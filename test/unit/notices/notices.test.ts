import { createHash } from 'node:crypto';

import { afterEach, describe, expect, it } from 'vitest';

import { until } from '../../support/until.ts';
import { BASE, CSV, NAME, openFile, sealedFile, start, stopAll } from './running-notices.ts';

afterEach(stopAll);

describe('the recovery notice', () => {
  it('says what the interface promises', async () => {
    const { broker, backups, clock } = start();
    broker.connect();
    backups.put(sealedFile(7));
    await clock.advance(0);
    expect(JSON.parse(broker.retained.get(`${BASE}/recovery/${NAME}`)!)).toEqual({
      file: NAME,
      kind: 'backup',
      state: 'sealed',
      destination: 'default',
      rows: 7,
      replayedRows: 0,
      bytes: CSV.length,
      sha256: createHash('sha256').update(CSV).digest('hex'),
      firstTimestamp: '2025-11-02T14:29:00.000Z',
      lastTimestamp: null,
      createdAt: '2025-11-02T14:30:00.000Z',
      reason: { code: 'ORA-12514', message: 'no service' },
      bridgeId: 'b1',
    });
    expect(broker.retained.get(`${BASE}/recovery/${NAME}/csv`)).toBe(CSV.toString());
  });

  it('of an open file is renewed every five seconds at most, of a sealed one at once', async () => {
    const { broker, backups, clock, rowsPublished } = start();
    broker.connect();
    for (let rows = 1; rows <= 100; rows += 1) {
      backups.put(openFile(rows));
      await clock.advance(100);
    }
    expect(rowsPublished()).toEqual([1, 51]);
    backups.put(sealedFile(101));
    await clock.advance(0);
    expect(rowsPublished()).toEqual([1, 51, 101]);
    await clock.advance(20_000);
    expect(rowsPublished()).toEqual([1, 51, 101]);
  });

  it('comes without the CSV when that is larger than allowed, or not wanted', async () => {
    for (const maxBytes of [CSV.length - 1, 0]) {
      const { broker, backups, clock } = start(maxBytes);
      broker.connect();
      backups.put(sealedFile(1));
      await clock.advance(0);
      expect([...broker.retained.keys()].sort()).toEqual([`${BASE}/health`, `${BASE}/recovery/${NAME}`]);
    }
  });

  it('is cleared with the CSV when the file goes', async () => {
    const { broker, backups, clock } = start();
    broker.connect();
    backups.put(sealedFile(1));
    await clock.advance(0);
    backups.drop(NAME);
    await clock.advance(0);
    expect([...broker.retained.keys()]).toEqual([`${BASE}/health`]);
  });

  it('is not made for a name that no topic can have', async () => {
    const { broker, backups, clock } = start();
    broker.connect();
    backups.put(sealedFile(1, 'copy #2.csv'));
    await clock.advance(0);
    expect([...broker.retained.keys()]).toEqual([`${BASE}/health`]);
  });
});

describe('a new connection', () => {
  it('brings the retained notices into line with the files', async () => {
    const { broker, backups, clock } = start();
    broker.retained.set(`${BASE}/recovery/gone.csv`, '{}');
    broker.retained.set(`${BASE}/recovery/gone.csv/csv`, 'x');
    broker.retained.set(`${BASE}/recovery/${NAME}`, '{"old":true}');
    broker.retained.set(`${BASE}/recovery/open.csv/csv`, 'x');
    broker.retained.set(`${BASE}/recovery/a/b/c`, 'not ours');
    backups.put(sealedFile(3));
    backups.put(openFile(2, 'open.csv'));
    await clock.advance(0);
    expect(broker.published).toEqual([]);
    broker.connect();
    await clock.advance(0);
    await until('all is sent', () => broker.inFlight === 0);
    expect([...broker.retained.keys()].sort()).toEqual([
      `${BASE}/health`,
      `${BASE}/recovery/a/b/c`,
      `${BASE}/recovery/${NAME}`,
      `${BASE}/recovery/${NAME}/csv`,
      `${BASE}/recovery/open.csv`,
    ]);
    expect(broker.retained.get(`${BASE}/recovery/${NAME}`)).toContain('"rows":3');
  });

  it('does not make it answer messages as they are published, its own first of all', async () => {
    const { broker, backups, clock } = start();
    backups.put(sealedFile(3));
    broker.connect();
    await clock.advance(10_000);
    expect(broker.published).toHaveLength(3);
    backups.drop(NAME);
    await clock.advance(10_000);
    expect(broker.published).toHaveLength(5);
    await broker.publish(`${BASE}/recovery/${NAME}`, 'of somebody else');
    await clock.advance(10_000);
    expect(broker.published).toHaveLength(6);
  });

  it('is not flooded by thousands of stale notices', async () => {
    const { broker } = start();
    for (let i = 0; i < 3000; i += 1) broker.retained.set(`${BASE}/recovery/old_${i}.csv`, '{}');
    broker.connect();
    await until('all are cleared', () => broker.retained.size === 1 && broker.inFlight === 0);
    expect(broker.maxInFlight).toBe(8);
    expect(broker.published).toHaveLength(3001);
  });

  it('tells a broker that forgot all of it again', async () => {
    const { broker, backups, clock } = start();
    backups.put(sealedFile(3));
    broker.connect();
    await clock.advance(0);
    broker.connected = false;
    backups.put(openFile(1, 'next.csv'));
    await clock.advance(60_000);
    broker.retained.clear();
    broker.connect();
    await clock.advance(0);
    expect([...broker.retained.keys()].sort()).toEqual([
      `${BASE}/health`,
      `${BASE}/recovery/${NAME}`,
      `${BASE}/recovery/${NAME}/csv`,
      `${BASE}/recovery/next.csv`,
    ]);
  });
});

describe.each(['forWildcards', 'withoutFlag'] as const)('on a broker that is silent %s', (silence) => {
  it('what was published before is cleared by name, once its file is gone', async () => {
    const topics = [`${BASE}/recovery/gone.csv`, `${BASE}/recovery/gone.csv/csv`, 'before/recovery/older.csv'];
    const { broker, backups, clock, memory } = start(100, [...topics, `${BASE}/recovery/${NAME}`]);
    broker.silence = silence;
    for (const topic of topics) broker.retained.set(topic, '{}');
    broker.retained.set(`${BASE}/recovery/${NAME}`, '{"old":true}');
    broker.retained.set(`${BASE}/recovery/of-others.csv`, '{}');
    backups.put(sealedFile(3));
    broker.connect();
    await clock.advance(0);
    await until('all is sent', () => broker.inFlight === 0 && memory.remembered.size === 2);
    expect([...broker.retained.keys()].sort()).toEqual([
      `${BASE}/health`,
      `${BASE}/recovery/${NAME}`,
      `${BASE}/recovery/${NAME}/csv`,
      `${BASE}/recovery/of-others.csv`,
    ]);
    expect([...memory.remembered].sort()).toEqual([`${BASE}/recovery/${NAME}`, `${BASE}/recovery/${NAME}/csv`]);
    expect(broker.to('before/recovery/older.csv')).toEqual(['']);
  });
});

describe('what is remembered', () => {
  it('is there before it is published, and goes after it was cleared', async () => {
    const { broker, backups, clock, memory } = start();
    broker.connect();
    backups.put(sealedFile(1));
    await clock.advance(0);
    expect([...memory.remembered].sort()).toEqual([`${BASE}/recovery/${NAME}`, `${BASE}/recovery/${NAME}/csv`]);
    broker.connected = false;
    backups.drop(NAME);
    await clock.advance(0);
    expect(memory.remembered.size).toBe(2);
    broker.connect();
    await clock.advance(0);
    await until('nothing is left', () => memory.remembered.size === 0);
    expect(memory.late).toEqual([]);
    expect([...broker.retained.keys()]).toEqual([`${BASE}/health`]);
  });

  it('is nothing on a full disk, and notices come all the same', async () => {
    const { broker, backups, clock, log, memory, rowsPublished } = start();
    memory.failure = new Error('ENOSPC');
    broker.connect();
    backups.put(sealedFile(1));
    await clock.advance(0);
    expect(rowsPublished()).toEqual([1]);
    expect(log.messages()).toEqual(['notices not remembered for the next start']);
  });
});

describe('a publish that fails', () => {
  it('while connected is tried again within a minute, and logged once', async () => {
    const { broker, backups, clock, log, rowsPublished } = start();
    broker.connect();
    await clock.advance(0);
    broker.failures = 2;
    backups.put(sealedFile(3));
    await clock.advance(0);
    expect(rowsPublished()).toEqual([]);
    expect(log.messages()).toEqual(['notice could not be published']);
    await clock.advance(60_000);
    expect(rowsPublished()).toEqual([3]);
  });
});

describe('health', () => {
  it('is published at each connect and every minute', async () => {
    const { broker, clock } = start();
    broker.connect();
    await clock.advance(0);
    expect(broker.to(`${BASE}/health`)).toEqual(['{"state":"fine"}']);
    await clock.advance(180_000);
    expect(broker.to(`${BASE}/health`)).toHaveLength(4);
  });
});

describe('stopping', () => {
  it('publishes what still waits', async () => {
    const { broker, backups, clock, notices, rowsPublished } = start();
    broker.connect();
    await clock.advance(0);
    backups.put(openFile(1));
    backups.put(openFile(2));
    await notices.stop();
    expect(rowsPublished()).toEqual([1, 2]);
    backups.put(openFile(3));
    await clock.advance(60_000);
    expect(rowsPublished()).toEqual([1, 2]);
  });
});
