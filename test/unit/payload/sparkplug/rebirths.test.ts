import { describe, expect, it } from 'vitest';

import { Rebirths } from '../../../../src/payload/sparkplug/rebirths.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { RecordingLogger } from '../../../support/recording-logger.ts';

const NODE = { group: 'G', node: 'N' };
const START_MS = 1_700_000_000_000;

function rig(isConnected: () => boolean = () => true) {
  const clock = new FakeClock(START_MS);
  const sent: { atMs: number; topic: string; payload: Buffer }[] = [];
  const injected: { topic: string; payload: Buffer }[] = [];
  const rebirths = new Rebirths({
    send: (topic, payload) => {
      if (!isConnected()) return Promise.reject(new Error('not connected'));
      sent.push({ atMs: clock.now() - START_MS, topic, payload });
      return Promise.resolve();
    },
    inject: (topic, payload) => void injected.push({ topic, payload }),
    clock,
    log: new RecordingLogger(),
  });
  return { clock, injected, rebirths, sent, times: () => sent.map(({ atMs }) => atMs) };
}

describe('births of an edge node that are wanted', () => {
  it('are asked for at once, by a command to the node', async () => {
    const { clock, rebirths, sent } = rig();
    rebirths.wantBirth(NODE, 'why', 0);
    await clock.advance(0);
    expect(sent).toMatchObject([{ topic: 'spBv1.0/G/NCMD/N' }]);
    expect(sent[0]!.payload.includes('Node Control/Rebirth')).toBe(true);
    expect(sent[0]!.payload.subarray(-4)).toEqual(Buffer.from([0x20, 11, 0x70, 1]));
  });

  it('are asked for again after a pause that doubles, up to ten minutes, as long as messages give cause', async () => {
    const { clock, rebirths, times } = rig();
    for (let second = 0; second < 3000; second += 1) {
      rebirths.wantBirth(NODE, 'why', 0);
      await clock.advance(1000);
    }
    expect(times().map((atMs) => Math.round(atMs / 1000))).toEqual([0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430]);
  }, 60_000);

  it('are not asked for when the node is born before, nor when what was missing has come', async () => {
    const { clock, rebirths, sent } = rig();
    rebirths.wantBirth(NODE, 'gap', 5000);
    await clock.advance(4000);
    rebirths.born(NODE);
    await clock.advance(10_000);
    rebirths.wantBirth(NODE, 'gap', 5000);
    await clock.advance(4000);
    rebirths.satisfied(NODE);
    await clock.advance(10_000);
    expect(sent).toEqual([]);
  });

  it('are asked for once for many gaps, and sooner when something can not be read', async () => {
    const { clock, rebirths, times } = rig();
    for (let i = 0; i < 4; i += 1) {
      rebirths.wantBirth(NODE, 'gap', 5000);
      await clock.advance(1000);
    }
    rebirths.wantBirth(NODE, 'alias', 0);
    rebirths.satisfied(NODE);
    await clock.advance(9000);
    expect(times()).toEqual([4000]);
  });

  it('are asked for when there is a connection again', async () => {
    let isConnected = false;
    const { clock, rebirths, times } = rig(() => isConnected);
    rebirths.wantBirth(NODE, 'why', 0);
    await clock.advance(500);
    isConnected = true;
    rebirths.wantBirth(NODE, 'why', 0);
    await clock.advance(1000);
    expect(times()).toEqual([1000]);
  });
});

describe('a death that is in doubt', () => {
  it('is given to the pipeline when nothing is heard for ten seconds', async () => {
    const { clock, injected, rebirths } = rig();
    rebirths.doubtDeath(NODE, 17);
    await clock.advance(9999);
    expect(injected).toEqual([]);
    await clock.advance(1);
    expect(injected).toMatchObject([{ topic: 'spBv1.0/G/NDEATH/N' }]);
    expect(injected[0]!.payload.toString('latin1')).toMatch(/VERIFIED_DEATH.*17$/s);
  });

  it('is none when the node lives, and nothing is left when all stops', async () => {
    const { clock, injected, rebirths } = rig();
    rebirths.doubtDeath(NODE, 17);
    rebirths.lives(NODE);
    rebirths.doubtDeath({ ...NODE, node: 'M' }, 18);
    rebirths.wantBirth(NODE, 'why', 5);
    rebirths.stop();
    rebirths.wantBirth(NODE, 'why', 5);
    rebirths.doubtDeath(NODE, 19);
    await clock.advance(20_000);
    expect([injected, clock.pendingTimers]).toEqual([[], 0]);
  });
});
