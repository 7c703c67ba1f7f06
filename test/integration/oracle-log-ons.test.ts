import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Connections, ConnectionsOptions } from '../../src/oracle/connections.ts';
import { toDatabaseError } from '../../src/oracle/ora-errors.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';

const HOUR_MS = 3_600_000;
const WRONG = { password: 'wrong', walletPassword: '' };
const RIGHT = { password: 'secret', walletPassword: '' };

let standin: Standin;
let clock: FakeClock;
let opened: Connections[];

const ping = ({ connection }: { connection: { ping(): Promise<void> } }): Promise<void> => connection.ping();

/** Of one process, with a pool of their own each. */
function pool(options: Partial<ConnectionsOptions> = {}): Connections {
  const connections = connectionsTo(standin, { clock, ...options });
  opened.push(connections);
  return connections;
}

const refused = async (connections: Connections): Promise<string> =>
  (await databaseErrorOf(connections.use('ping', ping))).code;

/** All ask, every minute. */
async function askFor(ms: number, pools: readonly Connections[]): Promise<void> {
  for (const end = clock.monotonic() + ms; clock.monotonic() < end;) {
    await Promise.all(pools.map(refused));
    await clock.advance(60_000);
  }
}

describe('log-ons to one account', () => {
  beforeEach(async () => {
    clock = new FakeClock();
    opened = [];
    standin = await startStandin();
  });

  afterEach(async () => {
    const stopping = Promise.all(opened.map((connections) => connections.stop()));
    await clock.advance(10_000);
    await stopping;
    standin.stop();
  });

  it('cost at most two and one an hour with a wrong password, whatever asks for them', async () => {
    const pools = [pool(WRONG), pool(WRONG), pool({ ...WRONG, user: 'BRIDGE' })];
    pools[0]!.start();
    await askFor(48 * HOUR_MS, pools);
    expect(standin.stats.logonsTried).toBeGreaterThanOrEqual(48);
    expect(standin.stats.logonsTried).toBeLessThanOrEqual(2 + 48);
  }, 60_000);

  it('are tried at once with another password, and again twice with each', async () => {
    const connections = pool(WRONG);
    await askFor(5 * 60_000, [connections]);
    expect(standin.stats.logonsTried).toBe(2);
    connections.renew({ ...WRONG, password: 'wrong too' });
    await askFor(5 * 60_000, [connections]);
    expect(standin.stats.logonsTried).toBe(4);
    connections.renew(RIGHT);
    await connections.use('ping', ping);
    expect(standin.stats.logonsTried).toBe(5);
  });

  it('are tried once more at once when a person says so, and then wait for the hour again', async () => {
    const connections = pool(WRONG);
    await askFor(5 * 60_000, [connections]);
    connections.renew(WRONG);
    await askFor(30 * 60_000, [connections]);
    expect(standin.stats.logonsTried).toBe(3);
  });

  it('leave the sessions that are open alone when the password changes', async () => {
    const connections = pool({ pool: { min: 0, max: 2, increment: 1, queueTimeoutMs: 1000 } });
    await connections.use('ping', ping);
    connections.renew(WRONG);
    await connections.use('ping', ping);
    expect(standin.stats).toMatchObject({ logonsTried: 1, logonsAccepted: 1 });
    const both = connections.use('first', async ({ connection }) => {
      expect(await refused(connections)).toBe('ORA-01017');
      await connection.ping();
    });
    await both;
    connections.renew(RIGHT);
    await connections.use('first', () => connections.use('second', ping));
    expect(standin.stats).toMatchObject({ logonsTried: 3, logonsAccepted: 2 });
  });

  it('are none for a statement that is refused', async () => {
    const connections = pool();
    for (let i = 0; i < 20; i += 1) {
      const error = await databaseErrorOf(
        connections.use('query', async ({ connection }) => {
          await connection.execute('SELECT * FROM nothing_of_the_kind').catch((thrown: unknown) => {
            throw toDatabaseError(thrown, false);
          });
        }),
      );
      expect(error.code).toBe('ORA-00942');
    }
    expect(standin.stats.logonsTried).toBe(1);
  });
});
