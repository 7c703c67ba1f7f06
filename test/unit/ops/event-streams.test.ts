import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import { EventStreams } from '../../../src/ops/event-streams.ts';
import type { Sample } from '../../../src/ops/history.ts';
import { HttpServer } from '../../../src/ops/http.ts';
import { EventReader } from '../../support/event-reader.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve() {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const history = { taken: 0, newest: undefined as Sample | undefined };
  const facts = { status: { n: 1 } as object, backups: [] as object[], asked: 0 };
  const streams = new EventStreams({
    clock,
    history,
    status: () => {
      facts.asked += 1;
      return facts.status;
    },
    backups: () => facts.backups,
    log,
  });
  const routes = { '/api/events': () => streams.answer() };
  const server = new HttpServer({ host: '127.0.0.1', port: 0, clock, log, routes });
  await server.start();
  const stop = async (): Promise<void> => {
    streams.stop();
    await server.stop();
  };
  cleanups.push(stop);
  const open = async (): Promise<EventReader> => {
    const reader = await EventReader.open(`${server.url}/api/events`);
    cleanups.push(() => reader.close());
    return reader;
  };
  return { clock, facts, history, streams, url: server.url, log, open, stop };
}

describe('an event stream', () => {
  it('begins with the status and the backups, and goes on with the status each second', async () => {
    const { clock, facts, open } = await serve();
    facts.backups = [{ file: 'a.csv' }];
    const reader = await open();
    expect([reader.status, reader.headers['content-type'], reader.headers['cache-control']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ]);
    await reader.untilCount('backups', 1);
    expect(reader.events).toEqual([
      { name: 'status', data: { n: 1 } },
      { name: 'backups', data: [{ file: 'a.csv' }] },
    ]);
    facts.status = { n: 2, text: 'two\nlines\n\nand more' };
    await clock.advance(1000);
    await reader.untilCount('status', 2);
    await clock.advance(1000);
    await reader.untilCount('status', 3);
    expect(reader.all('status').at(-1)).toEqual(facts.status);
    expect(reader.all('backups')).toHaveLength(1);
  });

  it('tells the backups again when they have changed, and each sample once', async () => {
    const { clock, facts, history, open } = await serve();
    history.taken = 7;
    const reader = await open();
    await reader.untilCount('backups', 1);
    facts.backups = [{ file: 'b.csv', rows: 2 }];
    Object.assign(history, { taken: 8, newest: [1, 2, 3, null, 5, 6] });
    for (let second = 2; second <= 4; second += 1) {
      await clock.advance(1000);
      await reader.untilCount('status', second);
    }
    expect(reader.all('backups')).toEqual([[], [{ file: 'b.csv', rows: 2 }]]);
    expect(reader.all('sample')).toEqual([[1, 2, 3, null, 5, 6]]);
  });

  it('asks for the status once a second for all, and not when nobody listens', async () => {
    const { clock, facts, open, streams } = await serve();
    const readers = [await open(), await open(), await open()];
    await Promise.all(readers.map((reader) => reader.untilCount('status', 1)));
    const before = facts.asked;
    await clock.advance(1000);
    await Promise.all(readers.map((reader) => reader.untilCount('status', 2)));
    expect(facts.asked).toBe(before + 1);
    for (const reader of readers) reader.close();
    await until('all to be gone', () => streams.count === 0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is the last of twenty: the next one is refused until there is room', async () => {
    const { open, streams } = await serve();
    const readers = await Promise.all(Array.from({ length: 20 }, () => open()));
    expect(readers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await open()).status).toBe(503);
    readers[0]!.close();
    await until('room', () => streams.count === 19);
    expect((await open()).status).toBe(200);
  });

  it('is ended by the stop, and then refused', async () => {
    const { clock, open, stop, streams } = await serve();
    const reader = await open();
    await reader.untilCount('backups', 1);
    await stop();
    await until('its end', () => reader.isOver);
    expect([streams.count, clock.pendingTimers]).toEqual([0, 0]);
    expect(streams.answer().status).toBe(503);
  });

  describe('whose peer does not read', () => {
    /** Sends it more at once than the system's own buffers take. */
    async function openStuck() {
      const served = await serve();
      const { facts, streams, url } = served;
      facts.backups = [{ text: 'x'.repeat(20_000_000) }];
      const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
      cleanups.push(() => socket.destroy());
      socket.on('error', () => {}); // being cut
      socket.write('GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await until('the stream', () => streams.count === 1);
      return { ...served, socket };
    }

    it('gets nothing new, and is cut after 10 s', async () => {
      const { clock, facts, socket, streams } = await openStuck();
      await clock.advance(9000);
      expect([streams.count, facts.asked]).toEqual([1, 1]);
      const closed = once(socket, 'close');
      await clock.advance(1000);
      await until('the cut', () => streams.count === 0);
      socket.resume();
      await closed;
      expect([facts.asked, clock.pendingTimers]).toEqual([1, 0]);
    });

    it('goes on when it reads in time', async () => {
      const { clock, facts, socket, streams } = await openStuck();
      await clock.advance(9000);
      let read = 0;
      socket.on('data', (chunk: Buffer) => (read += chunk.length)).resume();
      await until('what was sent', () => read > 20_000_000);
      await clock.advance(9000);
      expect(streams.count).toBe(1);
      expect(facts.asked).toBeGreaterThan(1);
    });
  });

  it('is cut when there is no status to send, which the log says and nothing else suffers from', async () => {
    const { clock, facts, log, open, streams } = await serve();
    const reader = await open();
    await reader.untilCount('backups', 1);
    Object.defineProperty(facts, 'status', {
      get: () => {
        throw new Error('no status');
      },
    });
    await clock.advance(1000);
    await until('the cut', () => reader.isOver && streams.count === 0);
    expect(log.messages('error')).toEqual(['event stream failed']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('answers HEAD with its head alone', async () => {
    const { streams, url } = await serve();
    const head = await fetch(`${url}/api/events`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), streams.count]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      0,
    ]);
  });
});
