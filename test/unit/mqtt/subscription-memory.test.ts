import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { FileSystem } from '../../../src/core/filesystem.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { SubscriptionMemory, type RememberedSession } from '../../../src/mqtt/session/subscription-memory.ts';

const SESSION: RememberedSession = {
  session: 'gateway-01@mqtt://127.0.0.1:1883',
  subscriptions: [
    { topic: 'plc/+/tags', qos: 1, confirmed: true },
    { topic: 'plant/#', qos: 0, confirmed: false },
  ],
};

describe('the memory of subscriptions', () => {
  let directory = '';
  let path = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bridge-memory-'));
    path = join(directory, 'deeper', 'subscriptions.json');
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('is what was saved last, in one file', async () => {
    const memory = new SubscriptionMemory(nodeFileSystem, path);
    expect(await memory.load()).toBeUndefined();
    await memory.save({ ...SESSION, subscriptions: [] });
    await memory.save(SESSION);
    expect(await new SubscriptionMemory(nodeFileSystem, path).load()).toEqual(SESSION);
    expect(await readdir(join(directory, 'deeper'))).toEqual(['subscriptions.json']);
  });

  test('is not disturbed by what an interrupted save left', async () => {
    const memory = new SubscriptionMemory(nodeFileSystem, path);
    await memory.save(SESSION);
    await writeFile(`${path}.tmp`, '{"sess');
    expect(await memory.load()).toEqual(SESSION);
    await memory.save({ ...SESSION, session: 'other' });
    expect((await memory.load())?.session).toBe('other');
  });

  test('passes over what an earlier version wrote of the configuration', async () => {
    const file = join(directory, 'earlier.json');
    const subscriptions = SESSION.subscriptions.map((known) => ({ ...known, format: 'scalar', plcCode: '{2}' }));
    await writeFile(file, JSON.stringify({ ...SESSION, subscriptions }));
    expect(await new SubscriptionMemory(nodeFileSystem, file).load()).toEqual(SESSION);
  });

  test.each([
    '',
    '{"session":"a","subscr',
    'null',
    '[]',
    '{"session":1,"subscriptions":[]}',
    '{"session":"a","subscriptions":{}}',
    '{"session":"a","subscriptions":[null]}',
    '{"session":"a","subscriptions":[{"topic":"","qos":1,"confirmed":true}]}',
    '{"session":"a","subscriptions":[{"topic":"a","qos":3,"confirmed":true}]}',
    '{"session":"a","subscriptions":[{"topic":"a","qos":1}]}',
  ])('is nothing where the file is damaged: %s', async (content) => {
    const damaged = join(directory, 'damaged.json');
    await writeFile(damaged, content);
    expect(await new SubscriptionMemory(nodeFileSystem, damaged).load()).toBeUndefined();
  });

  test('keeps the old state when the disk takes no more', async () => {
    await new SubscriptionMemory(nodeFileSystem, path).save(SESSION);
    const full: FileSystem = {
      ...nodeFileSystem,
      create: async (name) => {
        const file = await nodeFileSystem.create(name);
        const append = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
        return { append, sync: () => file.sync(), close: () => file.close() };
      },
    };
    const memory = new SubscriptionMemory(full, path);
    await expect(memory.save({ ...SESSION, subscriptions: [] })).rejects.toThrow('no space');
    expect(await memory.load()).toEqual(SESSION);
  });
});
