import { beforeEach, describe, expect, it } from 'vitest';

import { Reserve } from '../../../src/core/reserve.ts';
import type { Route } from '../../../src/payload/decoder.ts';
import { RouteHistory } from '../../../src/payload/route-history.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';

const DIRECTORY = '/journal';
const PATH = `${DIRECTORY}/routes.json`;
const JOURNAL = 'journal00001';

const routesTo = (to: string): readonly Route[] => [{ topic: 'plant/#', format: 'scalar', to } as Route];
const [A, B, C] = [routesTo('a'), routesTo('b'), routesTo('c')];
const targetOf = (routes: readonly Route[] | undefined): string | undefined => routes?.[0]?.to;

describe('RouteHistory', () => {
  let disk: LossyDisk;
  let log: RecordingLogger;

  beforeEach(async () => {
    disk = new LossyDisk(seededRandom(1));
    log = new RecordingLogger();
    await disk.mount().makeDirectory(DIRECTORY);
  });

  function created(complete = (route: Route): Route => route): RouteHistory {
    const fileSystem = disk.mount();
    return new RouteHistory({ path: PATH, reserve: new Reserve(DIRECTORY, 0, fileSystem), fileSystem, complete, log });
  }

  async function started(settledNo = 0, journal = JOURNAL, lastNo = 1_000): Promise<RouteHistory> {
    const history = created();
    await history.start(journal, settledNo, lastNo);
    return history;
  }

  /** For whom the messages of these numbers are. */
  const targets = (history: RouteHistory, ...messageNos: number[]): (string | undefined)[] =>
    messageNos.map((messageNo) => targetOf(history.at(messageNo)));

  async function put(text: string): Promise<void> {
    const file = await disk.mount().create(PATH);
    await file.append(Buffer.from(text));
    await file.sync();
    await file.close();
    await disk.mount().syncDirectory(DIRECTORY);
  }

  it('knows nothing in the beginning', async () => {
    const history = await started();
    expect([history.isEmpty, history.at(1), history.nextFrom(0), history.open]).toEqual([
      true,
      undefined,
      Infinity,
      [],
    ]);
    expect([history.isCurrent(A), history.isCurrent([])]).toEqual([false, false]);
  });

  it('has each message read as of its time, over restarts', async () => {
    const first = await started();
    await first.change(A, 0);
    await first.change(B, 10);
    disk.kill();
    const second = await started();
    expect(targets(second, 0, 9, 10, 99)).toEqual(['a', 'a', 'b', 'b']);
    expect([second.nextFrom(0), second.nextFrom(9), second.nextFrom(10)]).toEqual([10, 10, Infinity]);
    expect([second.isCurrent(A), second.isCurrent(B)]).toEqual([false, true]);
    await second.change(C, 20);
    disk.crash();
    expect(targets(await started(), 9, 10, 19, 20)).toEqual(['a', 'b', 'b', 'c']);
  });

  it('has a change durable before it holds', async () => {
    const history = await started();
    await history.change(A, 0);
    let release: (() => void) | undefined;
    disk.before = (operation) =>
      operation === 'syncDirectory' ? new Promise<void>((resolve) => (release = resolve)) : undefined;
    const changing = history.change(B, 10);
    await until('all but the last step is done', () => release !== undefined);
    expect(targets(history, 10)).toEqual(['a']);
    release?.();
    await changing;
    expect(targets(history, 10)).toEqual(['b']);
  });

  it.each(['create', 'append', 'sync', 'close', 'rename', 'syncDirectory'] as const)(
    'goes on with the former routes while the disk refuses (%s), and changes once it does not',
    async (operation) => {
      const history = await started();
      await history.change(A, 0);
      disk.fail(operation, 'EIO');
      await expect(history.change(B, 10)).rejects.toThrow('EIO');
      expect([...targets(history, 10), history.isCurrent(A), history.isCurrent(B)]).toEqual(['a', true, false]);
      await history.change(B, 10);
      disk.kill();
      expect(targets(await started(), 9, 10)).toEqual(['a', 'b']);
    },
  );

  it('takes the place of a change that no message has come under', async () => {
    const history = await started();
    await history.change(A, 0);
    await history.change(B, 10);
    await history.change(C, 10);
    expect([targets(history, 9, 10), history.nextFrom(0)]).toEqual([['a', 'c'], 10]);
  });

  it('ignores the file of another journal, whose numbers are others', async () => {
    const history = await started();
    await history.change(A, 0);
    const other = await started(0, 'journal00002');
    expect([other.isEmpty, other.at(5), log.entries]).toEqual([true, undefined, []]);
    await other.change(B, 0);
    expect(targets(await started(0, 'journal00002'), 5)).toEqual(['b']);
    expect((await started()).isEmpty).toBe(true);
  });

  it.each([
    ['that is no JSON', '{"journal":"journal000'],
    ['that is empty', ''],
    ['that holds nothing', 'null'],
    ['without eras', `{"journal":"${JOURNAL}"}`],
    ['whose eras have no routes', `{"journal":"${JOURNAL}","eras":[{"from":3}]}`],
    ['whose second era has no routes', `{"journal":"${JOURNAL}","eras":[{"from":3,"routes":[]},{"from":4}]}`],
  ])('says that messages are read as configured now after a file %s, and notes over it', async (_what, text) => {
    await put(text);
    const history = await started();
    expect([history.isEmpty, history.at(5)]).toEqual([true, undefined]);
    expect(log.messages('warn')).toEqual([
      'how messages of the journal were to be read is not known any more: read as configured now',
    ]);
    await history.change(B, 0);
    expect(targets(await started(), 5)).toEqual(['b']);
    expect(log.entries).toHaveLength(1);
  });

  it('does not take a file for damaged that the disk refuses to read', async () => {
    await (await started()).change(A, 0);
    disk.fail('read', 'EIO');
    await expect(created().start(JOURNAL, 0, 0)).rejects.toThrow('EIO');
  });

  it('completes what an earlier version has noted, and takes it for the same as what is configured', async () => {
    await (await started()).change(A, 0);
    const history = created((route) => ({ retained: 'write', ...route }));
    await history.start(JOURNAL, 0, 0);
    expect([history.at(1)?.[0], history.isCurrent(A)]).toEqual([{ retained: 'write', ...A[0] }, true]);
  });

  it('forgets eras with the next change once all of their messages are settled durably', async () => {
    const history = await started();
    await history.change(A, 0);
    await history.change(B, 10);
    expect(history.open.map(({ to }) => to)).toEqual(['a', 'b']);
    await history.saved(8);
    expect(history.open.map(({ to }) => to)).toEqual(['a', 'b']);
    await history.saved(9);
    expect(history.open.map(({ to }) => to)).toEqual(['b']);
    expect(targets(await started(), 9)).toEqual(['a']);
    await history.change(C, 20);
    expect(targets(await started(), 9, 10, 20)).toEqual([undefined, 'b', 'c']);
  });

  it('goes by the checkpoint of the start, too', async () => {
    const first = await started();
    await first.change(A, 0);
    await first.change(B, 10);
    expect((await started(9)).open.map(({ to }) => to)).toEqual(['b']);
    expect((await started(8)).open.map(({ to }) => to)).toEqual(['a', 'b']);
    expect((await started(-1)).open.map(({ to }) => to)).toEqual(['a', 'b']);
  });

  it('forgets an era of numbers that the journal has lost, also for a start when they were given again', async () => {
    const first = await started();
    await first.change(A, 0);
    await first.change(B, 21);
    const second = await started(0, JOURNAL, 15);
    expect([...targets(second, 15, 21), second.nextFrom(0)]).toEqual(['a', 'a', Infinity]);
    // What the file says must go before a message gets such a number.
    expect(second.isCurrent(A)).toBe(false);
    await second.change(A, 16);
    expect(second.isCurrent(A)).toBe(true);
    expect(targets(await started(0, JOURNAL, 30), 15, 16, 21, 30)).toEqual(['a', 'a', 'a', 'a']);
  });

  it.each(['kill', 'crash'] as const)('has the old routes or the new ones after a %s at any operation', async (how) => {
    let wasDone = false;
    for (let at = 1; !wasDone; at += 1) {
      for (let seed = 1; seed <= 20; seed += 1) {
        disk = new LossyDisk(seededRandom(seed));
        await disk.mount().makeDirectory(DIRECTORY);
        const history = await started();
        await history.change(A, 0);
        let left = at;
        const died = new Promise<boolean>((resolve) => {
          disk.before = () => {
            left -= 1;
            if (left === 0) resolve(false);
            return left <= 0 ? new Promise(() => {}) : undefined;
          };
        });
        wasDone = await Promise.race([history.change(B, 10).then(() => true), died]);
        disk.before = () => {};
        disk[how]();
        const next = await started();
        expect(wasDone ? ['b'] : ['a', 'b']).toContain(targets(next, 10)[0]);
        expect(targets(next, 9)).toEqual(['a']);
        await next.change(C, 20);
        expect(targets(await started(), 9, 20)).toEqual(['a', 'c']);
      }
    }
    expect(log.entries).toEqual([]);
  });
});
