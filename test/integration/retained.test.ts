import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const SCALAR = { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' };

describe.skipIf(mosquittoMissing !== undefined)('retained messages', () => {
  let neighbours: Neighbours<RunningMosquitto>;
  let bridge: BridgeProcess;
  /** Where the next run goes on. */
  let directory: string | undefined;
  let runs: number;

  beforeEach(async () => {
    neighbours = await startNeighbours(startMosquitto);
    await createTables(neighbours.standin);
    directory = undefined;
    runs = 0;
  });

  afterEach(() => neighbours.stop(bridge));

  /** Each run has a session of its own at the broker, which then sends what it has kept. */
  async function run(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    runs += 1;
    bridge = await BridgeProcess.start({
      ...(directory !== undefined && { directory }),
      config: {
        mqtt: { url: neighbours.broker.url, clientId: `run-${runs}`, subscriptions: [{ ...SCALAR, ...more }] },
        oracle: { connectString: neighbours.standin.connectString, user: 'bridge', password: 'secret' },
      },
    });
    directory = bridge.directory;
    await bridge.untilSubscribed();
  }

  const keep = (tag: string, payload: string): Promise<unknown> =>
    neighbours.publisher.publishAsync(`plant/P/${tag}`, payload, { qos: 1, retain: true });

  /** Something that is stored in any case, behind all that came before it. */
  async function mark(count: number): Promise<void> {
    await neighbours.publisher.publishAsync(`plant/P/mark${runs}`, '0', { qos: 1 });
    await until('the mark', async () => (await stored(`mark${runs}`)).length === 1, 30_000);
    expect(await countRows(neighbours.standin)).toBe(count);
  }

  async function stored(tag: string): Promise<(number | null)[]> {
    const rows = await readRows(neighbours.standin);
    return rows.filter(({ name }) => name === `P.${tag}`).map(({ value }) => value);
  }

  const skipped = async (): Promise<number> => (await bridge.status()).counters.messagesSkipped;

  it('are stored once, over clean restarts, until they change', async () => {
    await keep('T', '12.5');
    await run();
    await mark(2);
    await bridge.end();
    await run();
    await mark(3);
    expect(await skipped()).toBe(1);
    await bridge.end();
    await keep('T', '13');
    await run();
    await mark(5);
    expect(await stored('T')).toEqual([12.5, 13]);
  });

  it('are known when they were stored as they were published, and each publication is a value', async () => {
    await run();
    await keep('T', '1');
    await keep('T', '1');
    await until('both', async () => (await stored('T')).length === 2, 30_000);
    await bridge.end();
    await run();
    await mark(3);
    expect(await skipped()).toBe(1);
  });

  it('are never lost by kill -9, and those that did not change are not stored again', async () => {
    await keep('stays', '1');
    await keep('moves', '1');
    await run();
    await mark(3);
    const file = join(bridge.directory, 'journal', 'retained.log');
    await until('the memory', async () => (await readFile(file, 'utf8').catch(() => '')).includes('stays'));
    await keep('moves', '2');
    await until('the change', async () => (await stored('moves')).length === 2, 30_000);
    await until('the stroke', async () => (await readFile(file, 'utf8')).includes('["plant/P/moves"]'));
    await bridge.end('SIGKILL');
    // What the memory had before the change, and what is the last value now.
    await keep('moves', '1');
    await run();
    await mark(6);
    expect(await stored('stays')).toEqual([1]);
    expect(await stored('moves')).toEqual([1, 2, 1]);
    expect((await bridge.status()).audit.balanced).toBe(true);
  });

  it('are no values where the subscription skips them', async () => {
    await keep('T', '1');
    await run({ retained: 'skip' });
    await mark(1);
    await keep('T', '1');
    await until('the one that is published', async () => (await stored('T')).length === 1, 30_000);
    expect(await skipped()).toBe(1);
  });

  it('are no values when they are cleared, and come again as values', async () => {
    await keep('T', '1');
    await run();
    await mark(2);
    await keep('T', '');
    await keep('T', '1');
    await until('the value after the clearing', async () => (await stored('T')).length === 2, 30_000);
    const { audit, counters } = await bridge.status();
    expect([audit.balanced, counters.messagesSkipped, counters.messagesUndecodable]).toEqual([true, 1, 0]);
  });
});
