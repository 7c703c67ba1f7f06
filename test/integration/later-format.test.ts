import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { BUILT_BRIDGE } from '../support/built-bridge.ts';
import { listFixtures } from '../upgrade/fixtures.ts';

let directory: string;

const CONFIG = {
  bridge: { id: 'upgraded' },
  mqtt: { url: 'mqtt://127.0.0.1:9' },
  oracle: { connectString: '127.0.0.1:9/none', user: 'bridge', password: 'x' },
};

/** What a bridge has left, with a journal and backups. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'later-format-'));
  const [fixture] = listFixtures();
  for (const name of ['journal', 'backup']) {
    await cp(join(fixture!.directory, name), join(directory, name), { recursive: true });
  }
  const config = {
    ...CONFIG,
    journal: { dir: join(directory, 'journal') },
    backup: { dir: join(directory, 'backup') },
    http: { port: 0 },
  };
  await writeFile(join(directory, 'bridge.json'), JSON.stringify(config));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** The header with another version and a checksum that fits it; see segment.ts. */
async function makeSegmentLater(): Promise<string> {
  const name = (await readdir(join(directory, 'journal'))).find((each) => each.startsWith('segment-'));
  const path = join(directory, 'journal', name!);
  const bytes = await readFile(path);
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 44)), 44);
  await writeFile(path, bytes);
  return path;
}

/** See checkpoint-file.ts. */
async function makeCheckpointLater(): Promise<string> {
  const path = join(directory, 'journal/checkpoint.json');
  const [json] = (await readFile(path, 'utf8')).split('\n');
  const later = JSON.stringify({ ...(JSON.parse(json!) as object), version: 2 });
  await writeFile(path, `${later}\n${crc32(later).toString(16).padStart(8, '0')}\n`);
  return path;
}

const makeFormatFile =
  (folder: string, text: string): (() => Promise<string>) =>
  async () => {
    const path = join(directory, folder, 'format.json');
    await writeFile(path, text);
    return path;
  };

/** All files with their content and the time of their last change. */
async function snapshot(folder = directory): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode, mtimeMs } = await stat(path);
    found[path] = `${mode} ${mtimeMs} ${entry.isFile() ? (await readFile(path)).toString('base64') : ''}`;
  }
  return found;
}

async function runBuilt(...args: readonly string[]): Promise<{ exitCode: number; said: string }> {
  const child = spawn(process.execPath, [BUILT_BRIDGE, ...args, '--config', join(directory, 'bridge.json')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, said };
}

describe('a version that is too old for what a later one has written', () => {
  it.each([
    ['a segment of the journal', makeSegmentLater],
    ['the checkpoint', makeCheckpointLater],
    ['further files of the journal', makeFormatFile('journal', '{"version":2}')],
    ['the backups', makeFormatFile('backup', '{"version":2}')],
    ['the backups, in no known words', makeFormatFile('backup', 'two')],
  ])('refuses the start for %s, with a word, and changes nothing', async (_what, makeLater) => {
    const path = await makeLater();
    const before = await snapshot();
    const { exitCode, said } = await runBuilt('run');
    const word = `${path} was written by a later version of the bridge, and this one can't read it`;
    expect({ exitCode, said }).toEqual({ exitCode: 78, said: expect.stringContaining(word) });
    expect(await snapshot()).toEqual(before);
    const replay = await runBuilt('backups', 'replay');
    expect(replay).toEqual({ exitCode: 78, said: expect.stringContaining(word) });
    expect(await snapshot()).toEqual(before);
  });

  it('starts on its own format, and on directories that are not there', async () => {
    await makeFormatFile('backup', '{"version":1}')();
    for (const home of [directory, join(directory, 'anew')]) {
      await mkdir(home, { recursive: true });
      const bridge = await BridgeProcess.start({ config: CONFIG, directory: home });
      expect(await bridge.end()).toBe(0);
    }
  });
});
