import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../../src/core/clock.ts';
import { createActions, type Refusal } from '../../../src/ops/actions.ts';
import { HttpServer } from '../../../src/ops/http.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.stop()));
});

const TOKEN = 'a-secret-token';
const REFUSALS: Readonly<Record<string, 404 | 409>> = { 'gone.csv': 404, 'open.csv': 409 };

async function serve(token = TOKEN) {
  const asked: string[] = [];
  const log = new RecordingLogger();
  const act =
    (what: string) =>
    (file: string, to?: string | number): Promise<Refusal | undefined> => {
      asked.push(`${what} ${file}${to === undefined ? '' : ` to ${to}`}`);
      const status = REFUSALS[file];
      return Promise.resolve(status === undefined ? undefined : { status, message: `not ${file}` });
    };
  const actions = createActions({
    token,
    replay: act('replay'),
    discard: act('discard'),
    seal: act('seal'),
    mend: act('mend'),
  });
  const server = new HttpServer({ host: '127.0.0.1', port: 0, clock: systemClock, log, routes: {}, actions });
  await server.start();
  opened.push(server);
  return { asked, url: server.url, log };
}

async function post(path: string, headers: Readonly<Record<string, string>>, token = TOKEN) {
  const { asked, url, log } = await serve(token);
  const own = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace('SELF', new URL(url).host)]),
  );
  const response = await fetch(url + path, { method: 'POST', headers: own });
  return { status: response.status, text: await response.text(), asked, log };
}

const right = { authorization: `Bearer ${TOKEN}` };

describe.each([
  ['replay', 202],
  ['discard', 200],
] as const)('%s over HTTP', (action, done) => {
  it('is done for who sends the token, with the decoded name', async () => {
    const { asked, status, text } = await post(`/api/backups/a%20b.csv/${action}`, right);
    expect([status, JSON.parse(text), asked]).toEqual([done, { file: 'a b.csv' }, [`${action} a b.csv`]]);
  });

  it.each(['http', 'https'])("is done for the bridge's own page, over %s", async (scheme) => {
    const { asked, status } = await post(`/api/backups/a.csv/${action}`, { ...right, origin: `${scheme}://SELF` });
    expect([status, asked]).toEqual([done, [`${action} a.csv`]]);
  });

  it.each<[number, string, Readonly<Record<string, string>>, string]>([
    [401, 'a.csv', {}, TOKEN],
    [401, 'a.csv', { authorization: 'Bearer wrong' }, TOKEN],
    [401, 'a.csv', { authorization: `Basic ${TOKEN}` }, TOKEN],
    [403, 'a.csv', { authorization: 'Bearer ' }, ''],
    [403, 'a.csv', { ...right, origin: 'http://attacker.example' }, TOKEN],
    [403, 'a.csv', { ...right, origin: 'null' }, TOKEN],
    [403, 'a.csv', { ...right, origin: 'http://SELF.attacker.example' }, TOKEN],
    [404, '%zz', right, TOKEN],
    [404, 'a.csv/b', right, TOKEN],
  ])('answers %i for %s with %j and does nothing', async (expected, file, headers, token) => {
    const { asked, log, status, text } = await post(`/api/backups/${file}/${action}`, headers, token);
    expect([status, asked]).toEqual([expected, []]);
    expect(text + JSON.stringify(log.entries)).not.toContain(TOKEN);
  });

  it.each([
    [404, 'gone.csv'],
    [409, 'open.csv'],
  ])('answers %i with the reason for %s', async (expected, file) => {
    const { status, text } = await post(`/api/backups/${file}/${action}`, right);
    expect([status, JSON.parse(text)]).toEqual([expected, { message: `not ${file}` }]);
  });

  it('is not done by GET', async () => {
    const { asked, url } = await serve();
    const response = await fetch(`${url}/api/backups/a.csv/${action}`, { headers: right });
    expect([response.status, response.headers.get('allow'), asked]).toEqual([405, 'POST', []]);
  });
});

it('a replay goes to the destination that the query names', async () => {
  const { asked, status } = await post('/api/backups/a.csv/replay?to=alarms', right);
  expect([status, asked]).toEqual([202, ['replay a.csv to alarms']]);
});
