import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenOptions } from 'node:net';
import { pipeline } from 'node:stream/promises';

import type { Clock } from '../core/clock.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import { type Logger, RepeatedError } from '../core/logger.ts';
import { actOn, decoded, queryOf, type Actions } from './actions.ts';
import { plain, type Answer, type Asked, type Routes } from './answers.ts';
import { answerQuestion, type Questions } from './questions.ts';

/** What a server answers, wherever it listens. */
export interface Answering {
  readonly routes: Routes;
  /** What may be done by POST; without actions only GET and HEAD are answered. */
  readonly actions?: Actions;
  /** What may be asked by POST. */
  readonly questions?: Questions;
}

export interface RequestServerOptions extends Answering {
  /** Whether the host that a request names is this bridge; absent: whatever it names. */
  readonly isKnownHost?: (hostHeader: string | undefined) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A request is short, and has mostly no body: a peer that takes longer is broken or hostile. */
const LIMITS = {
  maxHeaderSize: 8192,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
} as const;
const MAX_CONNECTIONS = 100;
const SOCKET_IDLE_MS = 15_000;
const STOP_WITHIN_MS = 1000;

const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/** Answers GET and HEAD for a fixed set of paths, and POST for the actions and the questions. */
export class RequestServer {
  readonly #options: RequestServerOptions;
  readonly #failed: RepeatedError;
  #server: Server | undefined;

  constructor(options: RequestServerOptions) {
    this.#options = options;
    this.#failed = new RepeatedError(options.log, options.clock, 'http request failed');
  }

  /** Listens there; gives the server, for its address. Throws the system error when that cannot be. */
  async listen(where: ListenOptions): Promise<Server> {
    const server = createServer(LIMITS, (request, response) => void this.#serve(request, response));
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = SOCKET_IDLE_MS;
    await new Promise<void>((resolve, reject) => {
      server.on('error', (error) => {
        if (server.listening) this.#failed.report({ error });
        else reject(error);
      });
      server.listen(where, resolve);
    });
    this.#server = server;
    return server;
  }

  /** Stops listening, closes idle connections at once and those in use after 1 s at the latest. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const cancel = this.#options.clock.setTimer(STOP_WITHIN_MS, () => server.closeAllConnections());
    await new Promise((resolve) => server.close(resolve));
    cancel();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {}); // the peer is gone: nobody left to tell
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (thrown) {
      this.#failed.report({ path: pathOf(request), error: coerceError(thrown) });
      answer = plain(500, 'internal error');
    }
    if (hasBody(request)) response.setHeader('connection', 'close'); // what of that body nobody has read goes with it
    await this.#send(request, response, answer);
  }

  async #send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
    const { body, contentType, headers, status } = answer;
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : 'bytes' in body ? body.bytes : undefined;
    const length = bytes === undefined ? { connection: 'close' } : { 'content-length': bytes };
    response.writeHead(status, { ...COMMON_HEADERS, 'content-type': contentType, ...headers, ...length });
    if (request.method === 'HEAD') response.end();
    else if (typeof body === 'string') response.end(body);
    else if ('follow' in body) body.follow(response);
    else await this.#sendBytes(request, response, body.chunks);
  }

  async #sendBytes(request: IncomingMessage, response: ServerResponse, chunks: AsyncIterable<Buffer>): Promise<void> {
    try {
      await pipeline(chunks, response);
    } catch (thrown) {
      // A reader that went away, or was cut for its slowness, is no failure.
      if (systemErrorCode(thrown) === 'ERR_STREAM_PREMATURE_CLOSE') return;
      this.#failed.report({ path: pathOf(request), error: coerceError(thrown) });
    }
  }

  #answer(request: IncomingMessage): Answer | Promise<Answer> {
    const { actions, isKnownHost = () => true, questions = {}, routes } = this.#options;
    if (!isKnownHost(request.headers.host)) return plain(421, 'this bridge has another name');
    const path = pathOf(request);
    const action = actions === undefined ? undefined : actOn(actions, request, path);
    if (action !== undefined) return action;
    const question = answerQuestion(questions, request, path);
    if (question !== undefined) return question;
    const route = findRoute(routes, path);
    if (route === undefined) return plain(404, `no such page; there are ${Object.keys(routes).join(' ')}`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'GET only', { allow: 'GET, HEAD' });
    return route.answer({ query: queryOf(request), part: route.part });
  }
}

interface FoundRoute {
  readonly answer: Routes[string];
  readonly part: Asked['part'];
}

function findRoute(routes: Routes, path: string): FoundRoute | undefined {
  const exact = path.includes('*') || !Object.hasOwn(routes, path) ? undefined : routes[path];
  if (exact !== undefined) return { answer: exact, part: '' };
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const part = decoded(path.slice(folder.length));
  const answer = Object.hasOwn(routes, `${folder}*`) ? routes[`${folder}*`] : undefined;
  return answer === undefined || part === undefined || part === '' ? undefined : { answer, part };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0]!;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
