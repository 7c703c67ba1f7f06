import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock } from '../src/core/clock.ts';
import { nodeFileSystem } from '../src/core/node-filesystem.ts';
import type { Journal } from '../src/journal/journal.ts';
import { delivery, openJournalAt } from '../test/unit/journal/sample-journal.ts';

/*
 * Messages a second from append to acknowledgement and through `take`, at most WINDOW unacknowledged, on the disk of
 * the given directory:
 *   npx tsx scripts/bench-journal.ts [directory]
 */

const MESSAGES = 400_000;
const PAYLOAD_BYTES = 200;
const WINDOWS = [100, 1000, 10_000];

for (const sync of ['always', 'interval', 'never'] as const) {
  for (const window of WINDOWS) console.log(sync, `window ${window}:`, await measure(sync, window), 'messages/s');
}

async function measure(sync: 'always' | 'interval' | 'never', window: number): Promise<number> {
  const dir = await mkdtemp(join(process.argv[2] ?? '.', 'journal-bench-'));
  const journal = await openJournalAt(dir, nodeFileSystem, systemClock, { sync });
  const reading = read(journal);
  const startMs = performance.now();
  const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
  let appended = 0;
  let acknowledged = 0;
  await new Promise<void>((resolve) => {
    const refill = (): void => {
      acknowledged += 1;
      if (acknowledged === MESSAGES) resolve();
      while (appended < MESSAGES && appended - acknowledged < window) {
        appended += 1;
        journal.append({ ...delivery('', []), payload, acknowledge: refill });
      }
    };
    acknowledged -= 1;
    refill();
  });
  const seconds = (performance.now() - startMs) / 1000;
  await reading;
  await journal.close();
  await rm(dir, { recursive: true });
  return Math.round(MESSAGES / seconds);
}

async function read(journal: Journal): Promise<void> {
  const { signal } = new AbortController();
  for (let taken = 0; taken < MESSAGES;) {
    const messages = await journal.take(signal);
    for (const message of messages) journal.done(message, 1);
    taken += messages.length;
    journal.settledThrough({ messageNo: messages.at(-1)!.number, valueNo: 0 });
  }
}
