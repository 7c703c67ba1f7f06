import type { ServerResponse } from 'node:http';

/** What a path answers. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | ByteStream | OpenStream;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A body of exactly `bytes` bytes. When reading it throws on the way, the peer sees by the missing bytes that the
 * answer is cut off.
 */
export interface ByteStream {
  readonly bytes: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/** A body that does not end by itself: `follow` gets the response, whose head is written, and ends it some time. */
export interface OpenStream {
  follow(response: ServerResponse): void;
}

/** The variable parts of a request for a route. */
export interface Asked {
  readonly query: URLSearchParams;
  /** What stands for the `*` of the route's path, decoded; empty when it has none. */
  readonly part: string;
}

/**
 * The routes by path. A `*` stands for one part of a path; a path without one comes first. A route that throws answers
 * 500 without saying why; the log has the reason.
 */
export type Routes = Readonly<Record<string, (asked: Asked) => Answer | Promise<Answer>>>;

export function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n`, headers };
}

export function json(status: number, body: object): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}

/** A CSV to be saved under its name, which may have any characters that a file name can have. */
export function csvDownload(name: string, body: ByteStream): Answer {
  const plainName = name.replaceAll(/[^\w.-]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  const disposition = `attachment; filename="${plainName}"; filename*=UTF-8''${encoded}`;
  return { status: 200, contentType: 'text/csv; charset=utf-8', body, headers: { 'content-disposition': disposition } };
}
