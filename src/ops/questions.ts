import type { IncomingMessage } from 'node:http';

import type { TriedMessage } from '../core/tried-message.ts';
import { isFromOwnPage } from './actions.ts';
import { json, plain, type Answer } from './answers.ts';

/**
 * What is asked by POST because it takes a body, and changes nothing: no token is needed, and only the bridge's own
 * page may ask from a browser. By path.
 */
export type Questions = Readonly<Record<string, (body: Buffer) => Answer | Promise<Answer>>>;

/** A message as it may be tried: a payload that is longer is the command line's. */
const MAX_BODY_BYTES = 262_144;

/** The answer to a question; undefined when the request is for none. */
export function answerQuestion(
  questions: Questions,
  request: IncomingMessage,
  path: string,
): Answer | Promise<Answer> | undefined {
  const question = Object.hasOwn(questions, path) ? questions[path] : undefined;
  if (question === undefined) return undefined;
  if (request.method !== 'POST') return plain(405, 'POST only', { allow: 'POST' });
  if (!isFromOwnPage(request)) return plain(403, 'not from another page');
  return readBody(request).then((body) =>
    body === undefined ? plain(413, `at most ${MAX_BODY_BYTES} bytes`) : question(body),
  );
}

/** Undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The answer needs the connection, also when the rest of the body is left unread.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export interface TrySources {
  /** What would become of the message. */
  tryMessage(topic: string, payload: Buffer): TriedMessage;
  /** A message that was refused, by its number; undefined where it is not kept whole. */
  undecodable(number: number): { readonly topic: string; readonly payload: Buffer } | undefined;
}

/**
 * What a message would become: `{ topic, payload }`, the payload as text, `{ topic, payloadBase64 }`, or
 * `{ undecodable: number }`, one of those that `/api/refusals` lists.
 */
export function createQuestions(sources: TrySources): Questions {
  return {
    '/api/try': (body) => {
      const asked = readAsked(body, sources);
      return typeof asked === 'string'
        ? json(400, { message: asked })
        : json(200, sources.tryMessage(asked.topic, asked.payload));
    },
  };
}

/** What is to be tried, or what is wrong with the question. */
function readAsked(body: Buffer, sources: TrySources): { readonly topic: string; readonly payload: Buffer } | string {
  let asked: unknown;
  try {
    asked = JSON.parse(body.toString());
  } catch {
    return 'the body must be JSON';
  }
  if (typeof asked !== 'object' || asked === null) return 'the body must be an object';
  const { payload, payloadBase64, topic, undecodable } = asked as Readonly<Record<string, unknown>>;
  if (typeof undecodable === 'number') {
    return sources.undecodable(undecodable) ?? 'that message is not kept here any more: see the undecodable CSV';
  }
  if (typeof topic !== 'string' || topic === '' || /[+#\0]/.test(topic)) return '"topic" must be that of one message';
  if (typeof payload === 'string') return { topic, payload: Buffer.from(payload) };
  if (typeof payloadBase64 === 'string') return { topic, payload: Buffer.from(payloadBase64, 'base64') };
  return '"payload" must be a text, or "payloadBase64"';
}
