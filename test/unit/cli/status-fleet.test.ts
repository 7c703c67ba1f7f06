import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';

import { runCli } from '../../../src/cli/cli.ts';
import type { FleetSum } from '../../../src/cli/remote/fleet.ts';
import { createCounters, type Counters } from '../../../src/core/counters.ts';
import { freePort } from '../../support/free-port.ts';
import { type MadeUpSources, madeUpSources } from '../ops/made-up-sources.ts';
import { run, serve, serveBridge, stopServers } from './served-status.ts';

afterEach(stopServers);

function member(bridgeId: string, changes: Partial<MadeUpSources> = {}): Promise<string> {
  const sources = madeUpSources();
  Object.assign(sources, { bridgeId, ...changes });
  return serveBridge(sources);
}

const rates = (values: number) => () => ({
  valuesInPerSecond: values,
  valuesOutPerSecond: values - 1,
  messagesPerSecond: values / 10,
});

function received(valuesReceived: number): Counters {
  return { ...createCounters(), valuesReceived };
}

/** The cells of the line that begins with a word. */
function cells(out: string, first: string): string[] {
  const line = out.split('\n').find((each) => each.trimStart().startsWith(first));
  return (line ?? '').trim().split(/ {2,}/);
}

describe('status of a fleet', () => {
  it('has a line a member and their sum', async () => {
    const first = await member('gateway-01', { rates: rates(1000), writerPending: () => 40, counters: received(40) });
    const second = await member('gateway-02', { rates: rates(2500), writerPending: () => 2, counters: received(2) });
    const { exitCode, out, errors } = await run(['--fleet', first, second]);
    expect([exitCode, errors]).toEqual([0, '']);
    expect(out).toMatch(/^fleet of 2: all is well\n\n/);
    expect(cells(out, 'bridge')).toEqual(
      // prettier-ignore
      ['bridge', 'broker', 'Oracle', 'in/s', 'out/s', 'on the way', 'unacked', 'backed up', 'problems'],
    );
    expect(cells(out, 'gateway-01')).toEqual([
      'gateway-01',
      'MQTT 5',
      'connected',
      '1,000',
      '999',
      '40',
      '0',
      '0',
      '0',
    ]);
    expect(cells(out, 'gateway-02')).toEqual([
      'gateway-02',
      'MQTT 5',
      'connected',
      '2,500',
      '2,499',
      '2',
      '0',
      '0',
      '0', // prettier-ignore
    ]);
    expect(cells(out, 'sum')).toEqual(['sum', '2 of 2', '2 of 2', '3,500', '3,498', '42', '0', '0', '0']);
  });

  it('is asked for with several --url as well, each member once', async () => {
    const first = await member('gateway-01');
    const second = await member('gateway-02');
    const { out } = await run(['--url', first, '--url', second, '--url', `${first}/`]);
    expect(out).toMatch(/^fleet of 2: all is well\n/);
  });

  it('names those that do not answer, with the reason, shows the others, and ends with 69', async () => {
    const absent = `http://127.0.0.1:${await freePort()}`;
    const other = await serve(() => ({ status: 200, contentType: 'text/html', body: '<html>' }));
    const { exitCode, out } = await run(['--fleet', absent, await member('gateway-02'), other]);
    expect(exitCode).toBe(69);
    expect(out).toMatch(/^fleet of 3: 2 do not answer\n/);
    expect(cells(out, absent)).toEqual([absent, 'no answer']);
    expect(cells(out, 'gateway-02').slice(0, 3)).toEqual(['gateway-02', 'MQTT 5', 'connected']);
    expect(cells(out, 'sum').slice(0, 3)).toEqual(['sum', '1 of 3', '1 of 3']);
    expect(out).toMatch(new RegExp(`^! ${absent} does not answer: .*ECONNREFUSED`, 'm'));
    expect(out).toMatch(new RegExp(`^! ${other} does not answer: it answered, but not as a bridge does`, 'm'));
  });

  it('says whose each problem is and what can be done about it; one that answers is no failure', async () => {
    const mqtt = () => ({ connected: false, protocolVersion: 5, unackedMessages: 0, subscriptionProblems: [] });
    const { exitCode, out } = await run(['--fleet', await member('gateway-01'), await member('gateway-02', { mqtt })]);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^fleet of 2: 1 problem\n/);
    expect(cells(out, 'gateway-02').slice(0, 2)).toEqual(['gateway-02', 'not connected']);
    expect(out).toMatch(/^! gateway-02: Not connected to the MQTT broker.*\n {2}→ Look whether the broker/m);
    expect(cells(out, 'sum')[1]).toBe('1 of 2');
  });

  it('says that two members have one id', async () => {
    const first = await member('gateway-01');
    const second = await member('gateway-01');
    const { out } = await run(['--fleet', first, second]);
    expect(out).toMatch(/^fleet of 2: ids are not unique\n/);
    expect(out).toContain(`! ${first} and ${second} say that they are gateway-01.\n  → `);
  });

  it('says which versions run, while they differ', async () => {
    const old = await member('gateway-01');
    const { out } = await run(['--fleet', old, await member('gateway-02', { version: '1.3.0' })]);
    expect(out).toContain('\nversions: 1.2.3 (gateway-01), 1.3.0 (gateway-02)\n');
    expect((await run(['--fleet', old])).out).not.toContain('versions');
  });

  it('with --json prints members and sum', async () => {
    const sources = madeUpSources();
    Object.assign(sources.counters, { valuesReceived: 7, valuesWritten: 5 });
    const first = await serveBridge(sources);
    const second = await member('gateway-02', { counters: sources.counters, rates: rates(20) });
    const absent = `http://127.0.0.1:${await freePort()}`;
    const { exitCode, out } = await run(['--json', '--fleet', first, second, absent]);
    expect(exitCode).toBe(69);
    const { members, sum } = JSON.parse(out) as { members: Record<string, unknown>[]; sum: FleetSum };
    expect(members.map(({ url }) => url)).toEqual([first, second, absent]);
    expect(members[0]).toMatchObject({ status: { bridgeId: 'gateway-01' } });
    expect(members[2]).toEqual({ url: absent, error: expect.stringContaining('ECONNREFUSED') as unknown });
    expect(sum).toMatchObject({ members: 3, answering: 2, connectedToBroker: 2, balanced: false, problems: 2 });
    expect(sum.counters).toMatchObject({ valuesReceived: 14, valuesWritten: 10 });
    expect(sum.rates).toEqual({ valuesInPerSecond: 20, valuesOutPerSecond: 19, messagesPerSecond: 2 });
  });

  it('nothing from the network steers the terminal', async () => {
    const { out } = await run(['--fleet', await member('a\u001b[2J'), await member('b', { version: '\u001b[1m' })]);
    expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it('waits for all members at once, and for none for long', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const { exitCode, out } = await run(['--fleet', `http://127.0.0.1:${port}`, await member('gateway-02')]);
    silent.close();
    expect(exitCode).toBe(69);
    expect(out).toContain('does not answer: no answer within 5 s');
    expect(cells(out, 'gateway-02')[1]).toBe('MQTT 5');
  });

  it('with --watch draws it again and again', async () => {
    const url = await member('gateway-01');
    const drawn: string[] = [];
    const stdout = {
      isTTY: true,
      columns: 80,
      write: (text: string) => {
        if (drawn.push(text) === 2) throw new Error('the terminal is closed');
      },
    };
    await runCli(['status', '--watch', '--fleet', url], {
      stdout,
      stderr: { write: () => {} },
      env: { NO_COLOR: '1' },
    });
    expect(drawn.map((text) => text.startsWith('\u001B[Hfleet of 1: all is well'))).toEqual([true, true]);
  });

  it.each([
    [['--fleet'], 'give the addresses'],
    [['--fleet', 'gateway-01'], '--fleet: not a URL'],
    [['--fleet', '--watch', 'http://127.0.0.1:1'], 'needs a terminal'],
  ])('ends with 64 for %j', async (args, message) => {
    const { exitCode, out, errors } = await run(args);
    expect([exitCode, out]).toEqual([64, '']);
    expect(errors).toContain(message);
  });
});
