import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../../src/core/clock.ts';
import type { TriedMessage } from '../../../src/core/tried-message.ts';
import { HttpServer } from '../../../src/ops/http.ts';
import { createQuestions } from '../../../src/ops/questions.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const KEPT = { topic: 'plc/9', payload: Buffer.from([1, 2]) };

const opened: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.stop()));
});

/** Answers with the payload in hexadecimal, as a text of a row. */
function tried(topic: string, payload: Buffer): TriedMessage {
  const row = { tagName: topic, value: null, text: payload.toString('hex'), timestamp: null, quality: 'GOOD' };
  const rows = [{ ...row, plcCode: '', tagAddress: '' }];
  return { topic, bytes: payload.length, subscription: null, outcome: 'rows', rowCount: 1, rejectedCount: 0, rows };
}

async function serve(): Promise<string> {
  const questions = createQuestions({
    tryMessage: tried,
    undecodable: (number) => (number === 9 ? KEPT : undefined),
  });
  const log = new RecordingLogger();
  const server = new HttpServer({ host: '127.0.0.1', port: 0, clock: systemClock, log, routes: {}, questions });
  await server.start();
  opened.push(server);
  return server.url;
}

async function ask(body: string | object, headers: Readonly<Record<string, string>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${await serve()}/api/try`, { method: 'POST', body: text, headers });
  return { status: response.status, text: await response.text() };
}

describe('POST /api/try', () => {
  it.each([
    [{ topic: 'plc/1', payload: 'é' }, 'plc/1', 'c3a9'],
    [{ topic: 'plc/1', payloadBase64: 'AAEC' }, 'plc/1', '000102'],
    [{ undecodable: 9 }, 'plc/9', '0102'],
  ])('%j is tried, without a token', async (asked, topic, hex) => {
    const { status, text } = await ask(asked);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ topic, rows: [{ text: hex }] });
  });

  it.each([
    ['{', 'the body must be JSON'],
    ['7', 'the body must be an object'],
    [{ topic: 'plc/+', payload: '' }, 'must be that of one message'],
    [{ topic: 'plc/1' }, 'must be a text'],
    [{ undecodable: 8 }, 'not kept here any more'],
  ])('%j is refused', async (asked, message) => {
    const { status, text } = await ask(asked);
    expect(status).toBe(400);
    expect(text).toContain(message);
  });

  it('takes no body of more than 256 KiB, announced or not', async () => {
    expect(await ask({ topic: 'a', payload: 'x'.repeat(262_144) })).toMatchObject({ status: 413 });
    const url = await serve();
    const stream = new ReadableStream({
      start: (controller) => {
        for (let i = 0; i < 5; i += 1) controller.enqueue(Buffer.alloc(65_536, 0x20));
        controller.close();
      },
    });
    const request = new Request(`${url}/api/try`, { method: 'POST', body: stream, duplex: 'half' });
    expect((await fetch(request)).status).toBe(413);
  });

  it('answers no other page, and no GET', async () => {
    expect(await ask({ undecodable: 9 }, { origin: 'http://elsewhere.example' })).toMatchObject({ status: 403 });
    expect((await fetch(`${await serve()}/api/try`)).status).toBe(405);
  });
});
