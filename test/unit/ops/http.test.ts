import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../../src/core/clock.ts';
import { HttpServer, reachableHost } from '../../../src/ops/http.ts';
import { createRoutes, type RouteSources } from '../../../src/ops/routes.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';
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
  return { server, url: server.url, log, status: sources.status };
}

/** With headers that fetch would not send. */
async function askAs(url: string, host: string): Promise<number> {
  const asked = request(url, { headers: { host } });
  asked.end();
  const [response] = await once(asked, 'response');
  response.resume();
  return response.statusCode;
}

describe('the routes', () => {
  it('/api/status answers the status as JSON, fresh each time', async () => {
    const { url, status } = await serve();
    status.counters.messagesReceived = 3;
    const response = await fetch(`${url}/api/status`);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ bridgeId: 'gateway-01', counters: { messagesReceived: 3 } });
    status.counters.messagesReceived = 4;
    expect(await (await fetch(`${url}/api/status?x=1`)).json()).toMatchObject({ counters: { messagesReceived: 4 } });
  });

  it('/metrics answers the Prometheus text format', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('# TYPE bridge_values_written_total counter');
  });

  it('/healthz answers 500 with the reasons when a loop stands still', async () => {
    const health = { ok: false, problems: ['writer: no progress for 65 s'] };
    const good = await serve();
    const bad = await serve({ health: () => health });
    expect((await fetch(`${good.url}/healthz`)).status).toBe(200);
    const response = await fetch(`${bad.url}/healthz`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual(health);
  });

  it('/readyz is ready while Oracle is down, and 503 when messages are not taken', async () => {
    const degraded = { ready: true, degraded: true, problems: ['Oracle is down.'] };
    const full = { ready: false, degraded: true, problems: ['journal is full'] };
    const first = await fetch(`${(await serve({ readiness: () => degraded })).url}/readyz`);
    expect([first.status, await first.json()]).toEqual([200, degraded]);
    const second = await fetch(`${(await serve({ readiness: () => full })).url}/readyz`);
    expect([second.status, await second.json()]).toEqual([503, full]);
  });

  it('a route that throws answers 500 without saying why, and the log says it', async () => {
    const { url, log } = await serve({
      health: () => {
        throw new Error('secret detail');
      },
    });
    const response = await fetch(`${url}/healthz`);
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
    expect(log.messages('error')).toEqual(['http request failed']);
    expect(log.entries.at(-1)?.fields).toMatchObject({ path: '/healthz', error: new Error('secret detail') });
  });
});

describe('HttpServer', () => {
  it('answers HEAD as GET, without the body', async () => {
    const { url } = await serve();
    const head = await fetch(`${url}/`, { method: 'HEAD' });
    const get = await fetch(`${url}/`);
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    expect(Number(head.headers.get('content-length'))).toBe((await get.arrayBuffer()).byteLength);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const { url } = await serve();
    const response = await fetch(`${url}/api/status`, { method, ...(method === 'POST' ? { body: 'x' } : {}) });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each(['/nowhere', '/api/status/', '/../etc/passwd', '/constructor', '/__proto__', '//', '/%00'])(
    'knows no %s',
    async (path) => {
      const { url } = await serve();
      expect((await fetch(url + path)).status).toBe(404);
    },
  );

  it('closes the connection of a request with a body, which nobody reads', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/nowhere`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([response.status, response.headers.get('connection')]).toEqual([404, 'close']);
  });

  it.each([
    ['127.0.0.1:8080', 200],
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['[::1]:8080', 200],
    ['192.168.1.4:8080', 200],
    ['attacker.example', 421],
    ['127.0.0.1.attacker.example', 421],
    ['localhost.attacker.example:8080', 421],
  ])('on loopback, a request for the host %s gets %i', async (host, expected) => {
    const { url } = await serve();
    expect(await askAs(`${url}/api/status`, host)).toBe(expected);
  });

  it('refuses headers beyond 8 kB and stays up', async () => {
    const { url } = await serve();
    expect((await fetch(`${url}/healthz`, { headers: { 'x-long': 'x'.repeat(9000) } })).status).toBe(431);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('stays up after bytes that are no HTTP', async () => {
    const { url } = await serve();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.end('\u0016\u0003\u0001 hello\r\n\r\n').resume();
    await once(socket, 'close');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('says that http.port is taken', async () => {
    const { url } = await serve();
    const port = Number(new URL(url).port);
    const options = { host: '127.0.0.1', port, clock: systemClock, log: new RecordingLogger(), routes: {} };
    await expect(new HttpServer(options).start()).rejects.toMatchObject({
      cause: { code: 'EADDRINUSE', syscall: 'listen' },
      message: `http.port: 127.0.0.1:${port} is taken by another process`,
    });
  });

  it('says that http.host is no address of this machine', async () => {
    const options = { host: '192.0.2.1', port: 0, clock: systemClock, log: new RecordingLogger(), routes: {} };
    await expect(new HttpServer(options).start()).rejects.toThrow(
      'http.host: 192.0.2.1:0 is no address of this machine',
    );
  });

  it('stops at once though a client keeps its connection open, and frees the port', async () => {
    const { server, url } = await serve();
    const port = Number(new URL(url).port);
    const idle = connect(port, '127.0.0.1').resume();
    idle.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(idle, 'data');
    const gone = once(idle, 'close');
    await server.stop();
    await gone;
    const next = createServer().listen(port, '127.0.0.1');
    await once(next, 'listening');
    expect((next.address() as AddressInfo).port).toBe(port);
    next.close();
  });

  it('cuts a request that never ends when it has waited long enough for it', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const never = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const options = { host: '127.0.0.1', port: 0, clock, log: new RecordingLogger(), routes: { '/never': never } };
    const server = new HttpServer(options);
    await server.start();
    const answer = fetch(`${server.url}/never`).catch(() => 'cut');
    await until('the request to arrive', () => asked === 1);
    const stopped = server.stop();
    await clock.advance(1000);
    await stopped;
    expect(await answer).toBe('cut');
    expect(clock.pendingTimers).toBe(0);
  });

  it('can be stopped twice, and before it was started', async () => {
    const { server } = await serve();
    await server.stop();
    await server.stop();
    const options = { host: '127.0.0.1', port: 0, clock: systemClock, log: new RecordingLogger(), routes: {} };
    await expect(new HttpServer(options).stop()).resolves.toBeUndefined();
  });
});

describe('reachableHost', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '[::1]'],
    ['fe80::1', '[fe80::1]'],
    ['gateway-01', 'gateway-01'],
  ])('puts %s into a URL as %s', (host, expected) => {
    expect(reachableHost(host)).toBe(expected);
  });
});
