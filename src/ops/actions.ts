import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { json, plain, type Answer } from './answers.ts';

/** What may be done over HTTP, by who knows the token, and over the local socket, by who may open it. */
export interface Actions {
  /**
   * The token that a request must bear; with an empty one nothing may be done. Undefined: whoever gets through to the
   * server may do it.
   */
  readonly token: string | undefined;
  /** The first whose path fits answers, with the variable part of the path, which is decoded. */
  readonly posts: readonly {
    readonly path: RegExp;
    answer(part: string, query: URLSearchParams): Answer | Promise<Answer>;
  }[];
}

/** Why an action is not done: 404 for what is not there, 409 for what can't be done with it. */
export interface Refusal {
  readonly status: 404 | 409;
  readonly message: string;
}

export interface ActionSources extends Pick<Actions, 'token'> {
  /** Queues the replay of a backup file; `to`: the destination that all its rows go to. */
  replay(file: string, to: string | undefined): Promise<Refusal | undefined>;
  /** Takes a backup file away for good. */
  discard(file: string): Promise<Refusal | undefined>;
  /** Seals a backup file that is being written. */
  seal(file: string): Promise<Refusal | undefined>;
  /** Puts the mended file that the process of the number `by` has made in the place of a backup file. */
  mend(file: string, by: number): Promise<Refusal | undefined>;
}

/** The actions on backup files, each a POST of its own. */
export function createActions(sources: ActionSources): Actions {
  const answerTo = (file: string, done: 200 | 202, refusal: Refusal | undefined): Answer =>
    refusal === undefined ? json(done, { file }) : json(refusal.status, { message: refusal.message });
  return {
    token: sources.token,
    posts: [
      {
        path: /^\/api\/backups\/([^/]+)\/replay$/,
        answer: async (file, query) => answerTo(file, 202, await sources.replay(file, query.get('to') ?? undefined)),
      },
      {
        path: /^\/api\/backups\/([^/]+)\/discard$/,
        answer: async (file) => answerTo(file, 200, await sources.discard(file)),
      },
      {
        path: /^\/api\/backups\/([^/]+)\/seal$/,
        answer: async (file) => answerTo(file, 200, await sources.seal(file)),
      },
      {
        path: /^\/api\/backups\/([^/]+)\/mend$/,
        answer: async (file, query) => {
          const by = Number(/^\d{1,10}$/.exec(query.get('by') ?? '')?.[0] ?? Number.NaN);
          if (Number.isNaN(by)) return plain(400, 'by must be the number of the process that has mended the file');
          return answerTo(file, 200, await sources.mend(file, by));
        },
      },
    ],
  };
}

/** The answer to a request for an action; undefined when the request is for none of the actions. */
export function actOn(actions: Actions, request: IncomingMessage, path: string): Answer | Promise<Answer> | undefined {
  const post = actions.posts.find((each) => each.path.test(path));
  if (post === undefined) return undefined;
  if (request.method !== 'POST') return plain(405, 'POST only', { allow: 'POST' });
  if (actions.token === '') return plain(403, 'http.token is empty: nothing can be done over HTTP');
  if (!isFromOwnPage(request)) return plain(403, 'not from another page');
  if (actions.token !== undefined && !isToken(request.headers.authorization, actions.token)) {
    return plain(401, 'the token is missing or wrong', { 'www-authenticate': 'Bearer' });
  }
  const part = decoded(post.path.exec(path)![1]!);
  return part === undefined ? plain(404, 'no such page') : post.answer(part, queryOf(request));
}

/** What stands behind the `?` of a request. */
export function queryOf(request: IncomingMessage): URLSearchParams {
  return new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'));
}

/** A part of a path as it was meant; undefined when it is no encoding of anything. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * A browser names the page that sends a request: only the bridge's own page may act. A proxy may have taken TLS off.
 */
export function isFromOwnPage({ headers: { host, origin } }: IncomingMessage): boolean {
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

/** Compares the token in the same time for every wrong one of a length, so that time tells nothing of the right one. */
function isToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(?<token>\S+)$/i.exec(authorization ?? '')?.groups?.['token'] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
