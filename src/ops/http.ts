import { isIP, type AddressInfo } from 'node:net';

import type { Clock } from '../core/clock.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { isLoopback, withoutBrackets } from '../core/loopback.ts';
import { RequestServer, type Answering } from './request-server.ts';

export interface HttpServerOptions extends Answering {
  readonly host: string;
  /** The port to listen on; 0 for a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const LISTEN_ERRORS: Readonly<Record<string, readonly [key: string, problem: string]>> = {
  EADDRINUSE: ['http.port', 'is taken by another process'],
  EACCES: ['http.port', 'may not be listened on by this user'],
  EADDRNOTAVAIL: ['http.host', 'is no address of this machine'],
  ENOTFOUND: ['http.host', 'is a name that cannot be resolved'],
  EAI_AGAIN: ['http.host', 'is a name that cannot be resolved'],
};

/** The status page, the interface and the metrics, at an address of this machine. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #server: RequestServer;
  #url = '';

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#server = new RequestServer({ ...options, isKnownHost: (named) => isKnownHost(named, options.host) });
  }

  /** Where it listens, without a final slash; empty before `start`. */
  get url(): string {
    return this.#url;
  }

  /**
   * Listens. Throws an Error that names `http.port` or `http.host`, the system error as its cause, when that cannot be.
   */
  async start(): Promise<void> {
    const { host, port, log } = this.#options;
    try {
      const server = await this.#server.listen({ host, port });
      this.#url = `http://${reachableHost(host)}:${(server.address() as AddressInfo).port}`;
    } catch (error) {
      throw listenError(coerceError(error), host, port);
    }
    log.info('http listening', { url: this.#url });
  }

  /** Stops listening, closes idle connections at once and those in use after 1 s at the latest. */
  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/**
 * Keeps web pages elsewhere from reading a loopback bridge by a name of theirs that resolves to 127.0.0.1 (DNS
 * rebinding): such a request names that host. Who listens on the network is reached by names that we can't know, and is
 * open to the network anyway.
 */
function isKnownHost(hostHeader: string | undefined, listenHost: string): boolean {
  if (hostHeader === undefined || !isLoopback(listenHost)) return true;
  const name = hostHeader.toLowerCase().replace(/:\d*$/, '');
  return isLoopback(name) || isIP(withoutBrackets(name)) !== 0 || name === listenHost.toLowerCase();
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
