/** The control port of a stand-in that runs on its own: statistics, faults and outages over HTTP. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Decimal, OraError, Timestamp } from './engine/types.ts';
import type { FaultRule } from './faults.ts';
import type { Standin } from './standin.ts';

export const controlHelp = `
  GET    /stats                 log-ons, connections, calls, rows, commits
  POST   /faults                a rule, as JSON; a pattern is "sqlPattern": "^insert", "times": 0 means until cleared
  DELETE /faults                clears all rules
  POST   /kill                  cuts every connection; {"sessions": true} kills the sessions with ORA-00028
  POST   /black-hole            {"on": true}: silence on all connections
  POST   /close                 stops listening            POST /open   listens again
  POST   /restart               {"downMs": 1000}
  POST   /sql                   SQL text, run and committed; rows as JSON`;

const MAX_BODY_BYTES = 1_048_576;

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

type Route = (standin: Standin, body: string) => Reply | Promise<Reply>;

const done: Reply = { status: 204, body: undefined };

const routes: Readonly<Record<string, Route>> = {
  'GET /stats': ({ stats }) => ({ status: 200, body: stats.snapshot() }),
  'POST /faults': ({ faults }, body) => {
    faults.add(readRule(body));
    return { status: 201, body: {} };
  },
  'DELETE /faults': ({ faults }) => {
    faults.clear();
    return done;
  },
  'POST /kill': (standin, body) => {
    if (options(body)['sessions'] === true) standin.killSessions();
    else standin.kill();
    return done;
  },
  'POST /black-hole': (standin, body) => {
    standin.blackHole(options(body)['on'] !== false);
    return done;
  },
  'POST /close': (standin) => {
    standin.close();
    return done;
  },
  'POST /open': async (standin) => {
    await standin.open();
    return done;
  },
  'POST /restart': (standin, body) => {
    standin.restart(Number(options(body)['downMs'] ?? 1000));
    return done;
  },
  'POST /sql': async ({ engine }, body) => {
    const rows = await engine.query(body.trim().replace(/;$/, ''));
    return { status: 200, body: rows.map((row) => Object.fromEntries(Object.entries(row).map(plain))) };
  },
};

function options(body: string): Record<string, unknown> {
  return body.trim() === '' ? {} : (JSON.parse(body) as Record<string, unknown>);
}

function readRule(body: string): FaultRule {
  const { sqlPattern, ...rule } = JSON.parse(body) as FaultRule & { sqlPattern?: string };
  return {
    ...rule,
    ...(rule.times === 0 ? { times: Infinity } : {}),
    ...(sqlPattern === undefined ? {} : { sql: new RegExp(sqlPattern, 'i') }),
  };
}

/** A SQL value as JSON shows it: timestamps in ISO 8601, RAW in hexadecimal, long numbers and NaN as text. */
function plain([name, value]: [string, unknown]): [string, unknown] {
  if (value instanceof Timestamp) return [name, timeText(value)];
  if (value instanceof Decimal) return [name, value.text];
  if (value instanceof Uint8Array) return [name, Buffer.from(value).toString('hex').toUpperCase()];
  return [name, typeof value === 'number' && !Number.isFinite(value) ? String(value) : value];
}

/** Milliseconds, and what is below them where there is something. */
function timeText({ ms, ns }: Timestamp): string {
  const text = new Date(ms).toISOString();
  return ns === 0 ? text : `${text.slice(0, -1)}${String(ns).padStart(6, '0').replace(/0+$/, '')}Z`;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw new RangeError('body too long');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

async function answer(standin: Standin, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await reply(standin, request);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : `${JSON.stringify(body)}\n`);
}

async function reply(standin: Standin, request: IncomingMessage): Promise<Reply> {
  const route = routes[`${request.method} ${request.url}`];
  if (route === undefined) return { status: 404, body: { error: 'no such route' } };
  try {
    return await route(standin, await readBody(request));
  } catch (error) {
    return { status: 400, body: { error: error instanceof OraError ? error.text : (error as Error).message } };
  }
}

export interface ControlPort {
  readonly port: number;
  stop(): void;
}

/** Listens on 127.0.0.1; port 0 is any free one. */
export async function startControlPort(standin: Standin, port: number): Promise<ControlPort> {
  const server: Server = createServer((request, response) => {
    void answer(standin, request, response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
