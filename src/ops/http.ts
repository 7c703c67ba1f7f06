import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';

import type { Clock } from '../core/clock.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import { type Logger, RepeatedError } from '../core/logger.ts';

/** What a path answers to GET. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** By exact path. A route that throws answers 500 without saying why; the log has the reason. */
export type Routes = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** What may be done over HTTP, by who knows the token. */
export interface Actions {
  /** Empty: nothing may be done. */
  readonly token: string;
  /** The first whose path fits answers, with the path's variable parts, which are decoded. */
  readonly posts: readonly { readonly path: RegExp; answer(...parts: string[]): Answer | Promise<Answer> }[];
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly routes: Routes;
  /** None: GET only. */
  readonly actions?: Actions;
}

/** A request is a few hundred bytes and has no body; an answer is small: a peer that takes longer is broken or hostile. */
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

const LISTEN_ERRORS: Readonly<Record<string, readonly [key: string, problem: string]>> = {
  EADDRINUSE: ['http.port', 'is taken by another process'],
  EACCES: ['http.port', 'may not be listened on by this user'],
  EADDRNOTAVAIL: ['http.host', 'is no address of this machine'],
  ENOTFOUND: ['http.host', 'is a name that cannot be resolved'],
  EAI_AGAIN: ['http.host', 'is a name that cannot be resolved'],
};

/** Answers GET and HEAD for a fixed set of paths, and POST for the actions. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #failed: RepeatedError;
  #server: Server | undefined;
  #url = '';

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#failed = new RepeatedError(options.log, options.clock, 'http request failed');
  }

  /** Where it listens, without a final slash; empty before `start`. */
  get url(): string {
    return this.#url;
  }

  /** Listens. Throws an Error that names `http.port` or `http.host`, the system error as its cause, when that cannot be. */
  async start(): Promise<void> {
    const { host, port, log } = this.#options;
    const server = createServer(LIMITS, (request, response) => void this.#serve(request, response));
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = SOCKET_IDLE_MS;
    await new Promise<void>((resolve, reject) => {
      server.on('error', (error) => {
        if (server.listening) this.#failed.report({ error });
        else reject(listenError(error, host, port));
      });
      server.listen(port, host, resolve);
    });
    this.#server = server;
    this.#url = `http://${reachableHost(host)}:${(server.address() as AddressInfo).port}`;
    log.info('http listening', { url: this.#url });
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
    const headers = { ...COMMON_HEADERS, 'content-type': answer.contentType, ...answer.headers };
    if (hasBody(request)) response.setHeader('connection', 'close'); // nobody reads it
    response.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(answer.body) });
    response.end(answer.body);
  }

  #answer(request: IncomingMessage): Answer | Promise<Answer> {
    if (!isKnownHost(request.headers.host, this.#options.host)) return plain(421, 'this bridge has another name');
    const routes = this.#options.routes;
    const path = pathOf(request);
    const action = this.#actionAt(request, path);
    if (action !== undefined) return action;
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return plain(404, `no such page; there are ${Object.keys(routes).join(' ')}`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'GET only', { allow: 'GET, HEAD' });
    return route();
  }

  /** Undefined when the request is for none of the actions. */
  #actionAt(request: IncomingMessage, path: string): Answer | Promise<Answer> | undefined {
    const { actions } = this.#options;
    const post = actions?.posts.find((each) => each.path.test(path));
    if (actions === undefined || post === undefined) return undefined;
    if (request.method !== 'POST') return plain(405, 'POST only', { allow: 'POST' });
    if (actions.token === '') return plain(403, 'http.token is empty: nothing can be done over HTTP');
    // A browser names the page that sends the request: none but the bridge's own may.
    const { host, origin } = request.headers;
    if (origin !== undefined && origin !== `http://${host}`) return plain(403, 'not from another page');
    if (!isToken(request.headers.authorization, actions.token)) {
      return plain(401, 'the token is missing or wrong', { 'www-authenticate': 'Bearer' });
    }
    const parts = post.path
      .exec(path)!
      .slice(1)
      .map((part) => decoded(part));
    return parts.includes(undefined) ? plain(404, 'no such page') : post.answer(...(parts as string[]));
  }
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n`, headers };
}

/** Takes the same time for every wrong token of one length. */
function isToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(?<token>\S+)$/i.exec(authorization ?? '')?.groups?.['token'] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0]!;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Keeps web pages elsewhere from reading a loopback bridge by a name of theirs that resolves to 127.0.0.1 (DNS rebinding): such a
 * request names that host. Who listens on the network is reached by names that we can't know, and is open to the network anyway.
 */
function isKnownHost(hostHeader: string | undefined, listenHost: string): boolean {
  if (hostHeader === undefined || !isLoopback(listenHost)) return true;
  const name = hostHeader.toLowerCase().replace(/:\d*$/, '');
  return isLoopback(name) || isIP(withoutBrackets(name)) !== 0 || name === listenHost.toLowerCase();
}

function isLoopback(host: string): boolean {
  const name = withoutBrackets(host.toLowerCase());
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(?<address>.*)\]$/, '$<address>');
}

/** `http.host` as it stands in a URL; the wildcard addresses are no place to go to. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIP(host) === 6 ? `[${host}]` : host;
}

function listenError(error: Error, host: string, port: number): Error {
  const [key, problem] = LISTEN_ERRORS[systemErrorCode(error) ?? ''] ?? ['http', `cannot be used: ${error.message}`];
  return new Error(`${key}: ${host}:${port} ${problem}`, { cause: error });
}
