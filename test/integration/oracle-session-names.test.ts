import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';

import oracledb from 'oracledb';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ORIGIN } from '../../src/core/place.ts';
import { assertDriverFits } from '../../src/oracle/driver-fit.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { connectionsTo } from '../support/oracle-connections.ts';
import { OracleTap } from '../support/oracle-tap.ts';
import { startStandin } from '../support/standin/standin.ts';
import { createTables, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { valuesOf } from '../support/values.ts';

describe.each(['19c', '23ai'] as const)('a session on a %s-like server', (profile) => {
  it('says which program, bridge and stage it belongs to, without a call of its own', async () => {
    const standin = await startStandin({ profile });
    onTestFinished(() => standin.stop());
    await createTables(standin);
    const sent: Buffer[] = [];
    const tap = new OracleTap(standin, { onRequest: (bytes) => void sent.push(bytes) });
    onTestFinished(() => tap.stop());
    const connectString = `127.0.0.1:${await tap.start()}/FREEPDB1`;
    const connections = connectionsTo({ connectString }, { clientId: 'gateway-01' });
    onTestFinished(() => connections.stop());
    const sessions = new Sessions(connections, { ...SESSIONS_OPTIONS, bridgeId: 'gateway-01' });
    const live = sessions.live('journal00001');
    const replay = sessions.replay('replay/backup.csv/journal00001/1');

    /** The bytes that the work sent, and how many calls it cost. */
    const during = async (work: () => Promise<unknown>): Promise<{ text: string; calls: number }> => {
      const [from, calls] = [sent.length, standin.stats.calls];
      await work();
      return { text: Buffer.concat(sent.slice(from)).toString('latin1'), calls: standin.stats.calls - calls };
    };

    const first = await during(() => live.readPlace());
    expect(first.text).toContain('(PROGRAM=mqtt-oracle-bridge)');
    expect(first.text).toContain(`mqtt-oracle-bridge : ${oracledb.versionString}`);
    for (const said of ['mqtt-oracle-bridge', 'gateway-01', 'live read ledger']) expect(first.text).toContain(said);

    const values = valuesOf(1, 2);
    values.stamp(1, 0);
    const move = { from: ORIGIN, to: { messageNo: 1, valueNo: 1 } };
    const write = await during(() => live.write(values, move, () => Promise.resolve()));
    expect(write.text).toContain('live write');
    expect(write.calls).toBe(2);
    expect((await during(() => replay.readPlace())).text).toContain('replay read ledger');
    const next = valuesOf(3);
    next.stamp(2, 0);
    const again = { from: move.to, to: { messageNo: 2, valueNo: 0 } };
    await during(() => live.write(next, again, () => Promise.resolve()));
    const last = valuesOf(4);
    last.stamp(3, 0);
    const same = await during(() =>
      live.write(last, { from: again.to, to: { messageNo: 3, valueNo: 0 } }, () => Promise.resolve()),
    );
    expect(same.text).not.toContain('live write');

    const name = 'a'.repeat(64);
    const destination = { ...SESSIONS_OPTIONS.destination, name };
    const other = new Sessions(connections, { ...SESSIONS_OPTIONS, destination, bridgeId: 'gateway-01' });
    const work = await during(() => other.live('journal00001').readPlace());
    expect(work.text).toContain(`live read ledger ${name}`.slice(0, 64));
    expect(work.text).not.toContain(`live read ledger ${name}`.slice(0, 65));
    const ledger = await standin.engine.query('SELECT stream FROM mqtt_bridge_ledger ORDER BY stream', 'BRIDGE');
    expect(ledger.map((row) => row['STREAM'])).toEqual([
      'live/journal00001',
      `live/journal00001/${name}`,
      'replay/backup.csv/journal00001/1',
    ]);
  });
});

describe('the driver', () => {
  it('has the private things that are used of it, and is pinned to that version', async () => {
    expect(() => assertDriverFits()).not.toThrow();
    const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as {
      dependencies: { oracledb: string };
    };
    expect(dependencies.oracledb).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it.each([
    [
      'the module',
      (): unknown => {
        throw new Error('Cannot find module');
      },
    ],
    ['the class', (): unknown => ({})],
    ['the method', (): unknown => ({ NetworkSession: Object })],
  ])('is refused at the start when %s is not there', (_what, load) => {
    expect(() => assertDriverFits(load)).toThrow(/node-oracledb .* has no way to cut a connection/);
  });

  it.each([
    ['is elsewhere', {}],
    [
      'has milliseconds only',
      {
        BaseBuffer: class {
          readonly buf = Buffer.alloc(13);
          writeOracleDate(date: Date): void {
            this.buf.writeUInt32BE(Math.floor(date.getUTCMilliseconds()) * 1_000_000, 7);
          }
        },
      },
    ],
  ])('is refused at the start when what writes times %s', (_what, buffer) => {
    const require = createRequire(import.meta.url);
    const load = (path: string): unknown => (path.endsWith('buffer.js') ? buffer : require(path));
    expect(() => assertDriverFits(load)).toThrow(/writes times without their microseconds/);
  });
});
