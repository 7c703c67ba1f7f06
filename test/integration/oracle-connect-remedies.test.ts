import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import type { DatabaseError } from '../../src/core/errors.ts';
import type { Connections, ConnectionsOptions } from '../../src/oracle/connections.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import { OracleTap } from '../support/oracle-tap.ts';
import { startStandin, type ProfileName, type Standin } from '../support/standin/standin.ts';

/** The magic number, lengths, version and count of services; then the first service's number and its count of parts. */
const SERVICES_MAGIC = Buffer.from('deadbeef', 'hex');
const FIRST_STATUS_OFFSET = 13 + 4;
/** The driver asks for no services, and a server that needs them says in its ACCEPT that it wants them all the same. */
const PACKET_TYPE_OFFSET = 4;
const ACCEPT = 2;
const SERVICES_FLAGS_OFFSET = 22;
const SERVICES_WANTED = 1;
const VERIFIER_12C = Buffer.from('024815', 'hex');
const VERIFIER_10G = Buffer.from('020939', 'hex');

let standin: Standin;
let clock: FakeClock;

const ping = ({ connection }: { connection: { ping(): Promise<void> } }): Promise<void> => connection.ping();

async function start(profile: ProfileName = '19c'): Promise<void> {
  standin = await startStandin({ profile });
}

function connect(options: Partial<ConnectionsOptions> = {}): Connections {
  const connections = connectionsTo(standin, { clock, ...options });
  onTestFinished(() => connections.stop());
  return connections;
}

const failure = (options: Partial<ConnectionsOptions> = {}): Promise<DatabaseError> =>
  databaseErrorOf(connect(options).use('ping', ping));

/** The failure behind a tap that changes what the server says. */
async function failureBehind(answer: (bytes: Buffer) => Buffer): Promise<DatabaseError> {
  const tap = new OracleTap(standin, { answer });
  const connectString = `127.0.0.1:${await tap.start()}/FREEPDB1`;
  onTestFinished(() => tap.stop());
  return failure({ connectString });
}

describe('what only a person can mend at the log-on', () => {
  beforeEach(() => {
    clock = new FakeClock();
  });

  afterEach(() => standin.stop());

  it('is native network encryption, which a server may demand', async () => {
    await start();
    const error = await failureBehind((bytes) => {
      const copy = Buffer.from(bytes);
      if (bytes[PACKET_TYPE_OFFSET] === ACCEPT)
        copy.fill(SERVICES_WANTED, SERVICES_FLAGS_OFFSET, SERVICES_FLAGS_OFFSET + 2);
      const at = bytes.indexOf(SERVICES_MAGIC);
      if (at !== -1) copy.writeUInt32BE(12_660, at + FIRST_STATUS_OFFSET);
      return copy;
    });
    expect(error).toMatchObject({ kind: 'configuration', code: 'ORA-12660' });
    expect(error.remedy).toMatch(/SQLNET.ENCRYPTION_SERVER.*ACCEPTED or REQUESTED/);
  });

  it('is a password whose verifier is of old', async () => {
    await start();
    const error = await failureBehind((bytes) => {
      const at = bytes.indexOf(VERIFIER_12C);
      return at === -1
        ? bytes
        : Buffer.concat([bytes.subarray(0, at), VERIFIER_10G, bytes.subarray(at + VERIFIER_12C.length)]);
    });
    expect(error).toMatchObject({ kind: 'configuration', code: 'NJS-116' });
    expect(error.remedy).toContain('the DBA must set its password anew');
  });

  it.each<[number, RegExp]>([
    [28_040, /ALLOWED_LOGON_VERSION_SERVER/],
    [1109, /ALTER PLUGGABLE DATABASE … OPEN/],
    [65_054, /ALTER PLUGGABLE DATABASE … OPEN/],
    [1035, /RESTRICTED SESSION/],
    [28_009, /an account of its own/],
    [604, /logon trigger/],
  ])('is ORA-%i, asked for once a minute and no more', async (error, remedy) => {
    await start();
    standin.faults.add({ on: 'logon', error, times: Infinity });
    const connections = connect();
    for (let second = 0; second < 600; second += 5) {
      expect(await databaseErrorOf(connections.use('ping', ping))).toMatchObject({
        kind: 'configuration',
        remedy: expect.stringMatching(remedy) as string,
      });
      await clock.advance(5000);
    }
    expect(standin.stats.logonsTried).toBeLessThanOrEqual(11);
    standin.faults.clear();
    await clock.advance(60_000);
    await connections.use('ping', ping);
  });

  it.each<[number, string, RegExp]>([
    [1033, 'connection', /mounted only/],
    [1034, 'connection', /not running/],
    [2391, 'connection', /SESSIONS_PER_USER/],
  ])('is not ORA-%i, which may pass by itself, but is told what it means', async (error, kind, remedy) => {
    await start();
    standin.faults.add({ on: 'logon', error, times: Infinity });
    const found = await failure();
    expect(found.kind).toBe(kind);
    expect(found.remedy).toMatch(remedy);
  });

  it('is a service or a SID that nobody has, each in its own words', async () => {
    await start();
    const { connectString, port } = standin;
    expect((await failure({ connectString: connectString.replace('FREEPDB1', 'NOPE') })).remedy).toMatch(
      /knows no such service/,
    );
    standin.faults.add({ on: 'connect', refuse: 12_505 });
    const sid = `(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=${port}))(CONNECT_DATA=(SID=XE)))`;
    expect((await failure({ connectString: sid })).remedy).toMatch(/knows no such SID/);
    standin.faults.add({ on: 'connect', refuse: 12_520 });
    expect((await failure()).remedy).toMatch(/^Too many sessions or processes/);
  });

  it('is a name: unknown, broken, or meant as a host; and never an entry beside it', async () => {
    await start();
    const tnsAdmin = await mkdtemp(join(tmpdir(), 'names-'));
    const good = `(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=${standin.port}))(CONNECT_DATA=(SERVICE_NAME=FREEPDB1)))`;
    await writeFile(
      join(tnsAdmin, 'tnsnames.ora'),
      `BROKEN =\n  (DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)\nPLANT = ${good}\n`,
    );
    await connect({ connectString: 'plant', tnsAdmin }).use('ping', ping);
    const broken = await failure({ connectString: 'broken', tnsAdmin });
    expect(broken).toMatchObject({ kind: 'configuration' });
    expect(broken.message).toMatch(/BROKEN in line 1 of tnsnames.ora is no whole entry/);
    await writeFile(join(tnsAdmin, 'tnsnames.ora'), `PLANT = ${good}\n`);
    expect((await failure({ connectString: 'absent', tnsAdmin })).remedy).toMatch(/^No such name in tnsnames.ora/);
    expect((await failure({ connectString: 'db.example.com', tnsAdmin })).remedy).toMatch(/write host:1521\/service/);
    expect((await failure({ connectString: 'absent' })).remedy).toMatch(/oracle.tnsAdmin/);
    await rm(tnsAdmin, { recursive: true });
  });

  it('is a service of one letter, which the short form does not take', async () => {
    await start();
    const error = await failure({ connectString: `127.0.0.1:${standin.port}/x` });
    expect(error).toMatchObject({ kind: 'configuration', code: 'NJS-515' });
    expect(error.remedy).toContain('two letters at least');
  });
});
