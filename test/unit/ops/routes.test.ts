import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../../src/core/clock.ts';
import { HttpServer } from '../../../src/ops/http.ts';
import { createRoutes, type RouteSources } from '../../../src/ops/routes.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';
import { valuesOf } from '../../support/values.ts';
import { madeUpRouteSources } from './made-up-sources.ts';

const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.stop()));
});

async function serve(change: Partial<RouteSources> = {}) {
  const log = new RecordingLogger();
  const sources = madeUpRouteSources();
  const routes = createRoutes({ ...sources, ...change });
  const server = new HttpServer({ host: '127.0.0.1', port: 0, clock: systemClock, log, routes });
  await server.start();
  opened.push(server);
  return { sources, url: server.url, log };
}

async function* inParts(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}

describe('/api/tags', () => {
  it('answers the tags that were asked for', async () => {
    const { sources, url } = await serve();
    sources.tags.note(valuesOf(1, 'RUN', 3));
    const ask = async (query: string) => (await fetch(`${url}/api/tags${query}`)).json();
    expect(await ask('')).toMatchObject({ total: 3, matching: 3 });
    expect(await ask('?search=d1&limit=5')).toMatchObject({ total: 3, matching: 1, tags: [{ value: 'RUN' }] });
    expect(await ask('?limit=1')).toMatchObject({ matching: 3, tags: [{ tagName: 'PLC01.D0' }] });
    expect(await ask('?search=%3F%26')).toMatchObject({ matching: 0, tags: [] });
  });

  it('has the view that was asked for', async () => {
    const { sources, url } = await serve();
    const values = valuesOf(1, 2, 3);
    values.qualities[1] = 'BAD';
    values.timesMs.set([3, 2, 1].map((seconds) => sources.status.clock.now() - seconds * 1000));
    sources.tags.note(values);
    const names = async (query: string): Promise<string[]> => {
      const answer = (await (await fetch(`${url}/api/tags?${query}`)).json()) as { tags: { tagName: string }[] };
      return answer.tags.map(({ tagName }) => tagName.slice(-1));
    };
    expect(await names('order=newest')).toEqual(['2', '1', '0']);
    expect(await names('order=quality')).toEqual(['1', '0', '2']);
    expect(await names('quality=bad')).toEqual(['1']);
    expect(await names('olderThanSeconds=2')).toEqual(['0']);
    expect(await names('olderThanSeconds=0&order=oldest')).toEqual(['0', '1', '2']);
  });

  it.each([
    ['order=age', 'order must be one of name, oldest, newest, quality'],
    ['quality=GOOD', 'quality must be one of all, bad'],
    ['olderThanSeconds=-1', 'olderThanSeconds must be a whole number of seconds, of at most nine digits'],
    ['olderThanSeconds=', 'olderThanSeconds must be a whole number of seconds, of at most nine digits'],
  ])('refuses %s', async (query, message) => {
    const { url } = await serve();
    const response = await fetch(`${url}/api/tags?${query}`);
    expect([response.status, await response.text()]).toEqual([400, `${message}\n`]);
  });

  it.each(['0', '1001', '-1', 'x', '', '1e2', '99999999999999999999'])('refuses the limit "%s"', async (limit) => {
    const { url } = await serve();
    const response = await fetch(`${url}/api/tags?limit=${limit}`);
    expect([response.status, await response.text()]).toEqual([400, 'limit must be 1 to 1000\n']);
  });
});

describe('/api/trace', () => {
  it('has what came of the tag', async () => {
    const { sources, url } = await serve();
    sources.tags.note(valuesOf(5));
    sources.traces.sample();
    const answer = await (await fetch(`${url}/api/trace?tag=PLC01.D0`)).json();
    const atSeconds = sources.status.clock.now() / 1000;
    expect(answer).toEqual({ tagName: 'PLC01.D0', intervalMs: 10_000, samples: [[atSeconds, 5]] });
  });

  it.each([
    ['?tag=PLC01.D9', 404, 'no value of this tag has come since the start'],
    ['?tag=', 400, 'tag must be the name of a tag'],
    ['', 400, 'tag must be the name of a tag'],
  ])('answers "%s" with %i', async (query, status, message) => {
    const { url } = await serve();
    const response = await fetch(`${url}/api/trace${query}`);
    expect([response.status, await response.text()]).toEqual([status, `${message}\n`]);
  });
});

describe('/api/outages', () => {
  it('has all that are kept, and the status the newest twenty', async () => {
    const { sources, url } = await serve();
    const kept = Array.from({ length: 50 }, (_, i) => {
      return { of: 'broker', began: new Date(i).toISOString(), seconds: i, reason: 'gone' } as const;
    });
    sources.status.outages = () => kept;
    expect(await (await fetch(`${url}/api/outages`)).json()).toEqual(kept);
    expect(await (await fetch(`${url}/api/status`)).json()).toMatchObject({ outages: kept.slice(0, 20) });
  });
});

describe('/api/history and /api/refusals', () => {
  it('answer as JSON', async () => {
    const { sources, url } = await serve();
    sources.refusals.noteRejected(valuesOf(1), [{ index: 0, reason: { code: 'X', message: 'is bad' } }]);
    expect(await (await fetch(`${url}/api/history`)).json()).toEqual(sources.history.answer());
    expect(await (await fetch(`${url}/api/refusals`)).json()).toMatchObject({
      rejected: [{ tagName: 'PLC01.D0', value: 1, code: 'X', message: 'is bad' }],
      undecodable: [],
    });
  });
});

describe('/api/backups/<file>', () => {
  it('is a download under its own name', async () => {
    const names: string[] = [];
    const { url } = await serve({
      download: (file) => {
        names.push(file);
        return Promise.resolve({ bytes: 5, chunks: inParts('a,b', '\r\n') });
      },
    });
    const response = await fetch(`${url}/api/backups/${encodeURIComponent('Öl "1".csv')}`);
    expect([response.status, await response.text(), names]).toEqual([200, 'a,b\r\n', ['Öl "1".csv']]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-length': '5',
      'content-disposition': `attachment; filename="_l__1_.csv"; filename*=UTF-8''%C3%96l%20%221%22.csv`,
      'x-content-type-options': 'nosniff',
    });
    const head = await fetch(`${url}/api/backups/a.csv`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
  });

  it.each(['a.csv', '%zz', '%2e%2e%2fetc', '*', 'a.csv/b', ''])('answers 404 for "%s"', async (name) => {
    const { url } = await serve();
    expect((await fetch(`${url}/api/backups/${name}`)).status).toBe(404);
  });

  it('shows the reader that it is cut off when the disk fails, and logs why', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from('the first part'));
      throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    }
    const { log, url } = await serve({ download: () => Promise.resolve({ bytes: 1000, chunks: failing() }) });
    const read = async (): Promise<string> => (await fetch(`${url}/api/backups/a.csv`)).text();
    await expect(read()).rejects.toThrow(/terminated|fetch failed/);
    expect(log.messages('error')).toEqual(['http request failed']);
  });

  it('stops reading the file when the reader goes away, which is no failure', async () => {
    let ended = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) yield await Promise.resolve(Buffer.alloc(65_536));
      } finally {
        ended = true;
      }
    }
    const { log, url } = await serve({ download: () => Promise.resolve({ bytes: 1e15, chunks: endless() }) });
    const leaving = new AbortController();
    const response = await fetch(`${url}/api/backups/a.csv`, { signal: leaving.signal });
    expect(response.status).toBe(200);
    leaving.abort();
    await until('the end of the reading', () => ended);
    expect(log.entries.map(({ message }) => message)).toEqual(['http listening']);
  });
});
