import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { DatabaseError } from '../../src/core/errors.ts';
import type { Connections, ConnectionsOptions } from '../../src/oracle/connections.ts';
import { pythonMissing, startDroppingHost, startSilentHost, type DeadHost } from '../support/dead-hosts.ts';
import { freePort } from '../support/free-port.ts';
import { connectionsTo } from '../support/oracle-connections.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';

/** The shortest that the driver knows: it counts whole seconds. */
const ATTEMPT_MS = 1000;
const SERVICE = 'FREEPDB1';
const MANY = 12;

let standins: Standin[];
let dead: DeadHost[];
let opened: Connections[];

const ping = ({ connection }: { connection: { ping(): Promise<void> } }): Promise<void> => connection.ping();

async function standin(): Promise<Standin> {
  const started = await startStandin({ host: '127.0.0.1' });
  standins.push(started);
  return started;
}

async function silent(start = startSilentHost): Promise<number> {
  const host = await start();
  dead.push(host);
  return host.port;
}

function connect(connectString: string, options: Partial<ConnectionsOptions> = {}): Connections {
  const connections = connectionsTo({ connectString }, { connectTimeoutMs: ATTEMPT_MS, ...options });
  opened.push(connections);
  return connections;
}

const easy = (...ports: number[]): string => `${ports.map((port) => `127.0.0.1:${port}`).join(',')}/${SERVICE}`;
const address = (port: number): string => `(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT=${port}))`;
const DATA = `(CONNECT_DATA=(SERVICE_NAME=${SERVICE}))`;
const description = (...ports: number[]): string => `(DESCRIPTION=${ports.map(address).join('')}${DATA})`;

describe('a log-on', () => {
  beforeEach(() => {
    standins = [];
    dead = [];
    opened = [];
  });

  afterEach(async () => {
    await Promise.all(opened.map((connections) => connections.stop()));
    for (const host of dead) host.end();
    for (const each of standins) each.stop();
  });

  describe.each<[string, (first: number, second: number, third: number) => string]>([
    ['host,host,host/service', easy],
    ['host;host,host/service', (a, b, c) => `127.0.0.1:${a};127.0.0.1:${b},127.0.0.1:${c}/${SERVICE}`],
    ['several ADDRESSes', description],
    [
      'an ADDRESS_LIST',
      (a, b, c) => `(DESCRIPTION=(ADDRESS_LIST=${address(a)}${address(b)})(ADDRESS_LIST=${address(c)})${DATA})`,
    ],
    ['a DESCRIPTION_LIST', (a, b, c) => `(DESCRIPTION_LIST=${description(a)}${description(b)}${description(c)})`],
  ])('with %s', (_name, textOf) => {
    it('passes two hosts that never answer', async () => {
      const alive = await standin();
      const connections = connect(textOf(await silent(), await silent(), alive.port));
      await connections.use('ping', ping);
      expect(alive.stats.logonsAccepted).toBe(1);
    });

    it('begins with the first, each time', async () => {
      const [first, second, third] = [await standin(), await standin(), await standin()];
      const text = textOf(first.port, second.port, third.port);
      for (let i = 0; i < MANY; i += 1) await connect(text).use('ping', ping);
      expect([first, second, third].map(({ stats }) => stats.logonsAccepted)).toEqual([MANY, 0, 0]);
    });
  });

  it('passes hosts that refuse and that know no such service, and waits for one that is slow', async () => {
    const [refusing, stranger, slow] = [await freePort(), await standin(), await standin()];
    stranger.faults.add({ on: 'connect', refuse: 12_514, times: Infinity });
    slow.faults.add({ on: 'logon', delayMs: 1500 });
    await connect(easy(refusing, stranger.port, slow.port)).use('ping', ping);
    expect(slow.stats.logonsAccepted).toBe(1);
  });

  it.skipIf(pythonMissing !== undefined)('passes hosts that drop what arrives, as those do that are off', async () => {
    const alive = await standin();
    const off = [await silent(startDroppingHost), await silent(startDroppingHost)];
    await connect(easy(...off, alive.port)).use('ping', ping);
    expect(alive.stats.logonsAccepted).toBe(1);
  });

  it('walks the list again as often as RETRY_COUNT says, and then tells how far it went', async () => {
    const text = `(DESCRIPTION=(RETRY_COUNT=2)${address(await silent())}${DATA})`;
    const error = await connect(text)
      .use('ping', ping)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DatabaseError);
    expect((error as DatabaseError).code).toBe('NJS-510');
    expect((error as DatabaseError).message).toContain('the last of up to 3 attempts');
  });

  it('goes on behind the one who waited for it, whose next piece of work gets the connection', async () => {
    const alive = await standin();
    const hosts: number[] = [];
    for (let i = 0; i < 8; i += 1) hosts.push(await silent());
    // What is waited for at least is the time of one attempt and five seconds.
    const connections = connect(easy(...hosts, alive.port), {
      logOnPatienceMs: 1,
    });
    const error = await connections.use('ping', ping).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT', kind: 'connection' });
    await connections.use('ping', ping);
    expect(alive.stats).toMatchObject({ logonsTried: 1, logonsAccepted: 1 });
  }, 40_000);

  it('stops at the first that knows the password to be wrong', async () => {
    const [first, second] = [await standin(), await standin()];
    const connections = connect(easy(first.port, second.port), { password: 'wrong' });
    await expect(connections.use('ping', ping)).rejects.toMatchObject({ code: 'ORA-01017' });
    expect([first, second].map(({ stats }) => stats.logonsTried)).toEqual([1, 0]);
  });
});
