import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { BrokerMemory, sessionName, type BrokerMemoryOptions } from '../../../src/mqtt/connection/broker-memory.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const DAY_MS = 86_400_000;
const NOTHING = { hadSession: false, returnsProbes: false, measure: 'none', sessionsLost: 0, sessionsStarved: 0 };
const LEARNED = {
  broker: 'mqtt://b:1',
  version: 4,
  hadSession: true,
  returnsProbes: true,
  measure: 'mqtt311',
} as const;

describe('the memory of the broker', () => {
  let directory = '';
  let path = '';
  let clock = new FakeClock();
  const log = new RecordingLogger();
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bridge-broker-'));
    path = join(directory, 'deeper', 'broker.json');
    clock = new FakeClock();
  });
  afterEach(() => rm(directory, { recursive: true }));

  const open = async (change: Partial<BrokerMemoryOptions> = {}): Promise<BrokerMemory> => {
    const url = ['mqtt://a:1', 'mqtt://b:1'];
    const options = {
      files: nodeFileSystem,
      path,
      url,
      clientId: 'gateway-01',
      protocolVersion: 5,
      clock,
      log,
    } as const;
    const memory = new BrokerMemory({ ...options, ...change });
    await memory.load();
    return memory;
  };

  test('is what was noted last, over a restart, in one file', async () => {
    const memory = await open();
    expect(memory.known).toEqual(NOTHING);
    void memory.note({ broker: 'mqtt://a:1' });
    void memory.note({ sessionsLost: 2 });
    await memory.note(LEARNED);
    const known = { ...NOTHING, ...LEARNED, versionAtMs: clock.now(), sessionsLost: 2 };
    expect(memory.known).toEqual(known);
    expect((await open()).known).toEqual(known);
    expect(await readdir(join(directory, 'deeper'))).toEqual(['broker.json']);
  });

  test('is not written where nothing is new', async () => {
    const memory = await open();
    await memory.note(LEARNED);
    await writeFile(path, 'by another');
    await memory.note({ broker: 'mqtt://b:1', version: 4 });
    expect(await readFile(path, 'utf8')).toBe('by another');
  });

  test.each([
    ['client id', { clientId: 'gateway-02' }],
    ['list of addresses', { url: ['mqtt://a:1', 'mqtt://c:1'] }],
    ['address', { url: 'mqtt://a:1' }],
    ['protocol version', { protocolVersion: 4 }],
  ] as const)('is nothing but the counts with another %s', async (_what, change) => {
    await (await open()).note({ ...LEARNED, sessionsLost: 2, sessionsStarved: 3 });
    expect((await open(change)).known).toEqual({ ...NOTHING, sessionsLost: 2, sessionsStarved: 3 });
  });

  test('is that of the same list in another order', async () => {
    await (await open()).note(LEARNED);
    expect((await open({ url: ['mqtt://b:1', 'mqtt://a:1/'] })).known).toMatchObject(LEARNED);
  });

  test('forgets the version after 30 days, and nothing else', async () => {
    await (await open()).note(LEARNED);
    await clock.advance(30 * DAY_MS - 1);
    expect((await open()).known.version).toBe(4);
    await clock.advance(1);
    const { version: _version, ...others } = LEARNED;
    const { known } = await open();
    expect(known).toEqual({ ...NOTHING, ...others });
  });

  test.each([
    ['', NOTHING],
    ['{"session":"gateway-01@mqtt://a:1,mqtt://b:1","protoc', NOTHING],
    ['null', NOTHING],
    ['[]', NOTHING],
    ['"text"', NOTHING],
    ['{"sessionsLost":-1,"sessionsStarved":"many"}', NOTHING],
    ['{"sessionsLost":1.5,"sessionsStarved":7}', { ...NOTHING, sessionsStarved: 7 }],
  ])('takes a damaged file for what can be read of it: %s', async (content, known) => {
    const damaged = join(directory, 'damaged.json');
    await writeFile(damaged, content);
    expect((await open({ path: damaged })).known).toEqual(known);
  });

  test('takes single values that can not be for unknown', async () => {
    await (await open()).note(LEARNED);
    const file = JSON.parse(await readFile(path, 'utf8')) as object;
    const wrong = { broker: 7, version: 3, versionAtMs: 'x', hadSession: 'yes', returnsProbes: 1, measure: 'magic' };
    await writeFile(path, JSON.stringify({ ...file, ...wrong }));
    expect((await open()).known).toEqual(NOTHING);
  });

  test('goes on when the disk takes no more, and says so', async () => {
    const full = { ...nodeFileSystem, create: () => Promise.reject(new Error('no space')) };
    const memory = await open({ files: full });
    await memory.note(LEARNED);
    expect(memory.known).toMatchObject(LEARNED);
    expect(log.messages('warn')).toEqual(['what is known of the broker is not remembered for the next start']);
  });
});

test('a session has the name that it had when there was one address', () => {
  expect(sessionName('gateway-01', 'mqtt://127.0.0.1:1883')).toBe('gateway-01@mqtt://127.0.0.1:1883');
  expect(sessionName('gateway-01', ['mqtt://127.0.0.1:1883'])).toBe('gateway-01@mqtt://127.0.0.1:1883');
  expect(sessionName('g', ['wss://b/mqtt', 'mqtt://a:1'])).toBe('g@mqtt://a:1,wss://b');
});
