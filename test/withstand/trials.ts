import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

import { connectAsync } from 'mqtt';

import { residentMegabytes } from '../../scripts/bench/process-figures.ts';
import { untilOrStuck } from '../soak/until-or-stuck.ts';
import { Crowd } from './crowd.ts';
import { readOnly, slowDisk } from './disk-trials.ts';
import { faketimeMissing, gccMissing, memoryLimitMissing, MEMORY_CGROUP, needsRoot, FAKETIME } from './means.ts';
import { BRIDGE_ID } from './rig.ts';
import { SOME_VALUES, withRig, type Trial } from './trial.ts';

const run = promisify(execFile);

const RETAINED_MESSAGES = 10_000;
const LARGE_BYTES = 10 * 1024 * 1024;
const CONNECTIONS = 1000;
const LOOK_EVERY_MS = 200;
const HOURS = 6;

/** The wall clock of the bridge's process jumps; its monotonic clock and the others' do not. */
function clockJump(...hours: readonly number[]): Trial['run'] {
  return (place) =>
    withRig(place, async (rig) => {
      const file = join(place.directory, 'clock');
      const jump = (by: number): Promise<void> => writeFile(file, `${by >= 0 ? '+' : ''}${by}h\n`);
      await jump(0);
      const env = {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };
      const bridge = await rig.startBridge({ env });
      await rig.begin();
      const notes: string[] = [];
      for (const by of [...hours, 0]) {
        await jump(by);
        await rig.untilMore(SOME_VALUES);
        const now = await bridge.clockMs();
        notes.push(`${((now - Date.now()) / 3_600_000).toFixed(0)} h`);
      }
      return `its clock was off by ${notes.join(', ')}; ${await rig.end()}`;
    });
}

const stopped: Trial['run'] = (place) =>
  withRig(place, async (rig) => {
    const bridge = await rig.startBridge();
    await rig.begin();
    bridge.kill('SIGSTOP');
    await wait(place.lastsMs);
    const owed = rig.publisher.ledger.values - rig.publisher.ledger.found;
    bridge.kill('SIGCONT');
    await rig.untilStatus('the session', ({ mqtt }) => mqtt.connected);
    await rig.untilMore(SOME_VALUES);
    const status = await rig.untilStatus('the health', ({ oracle }) => oracle.state === 'connected');
    return `stopped for ${place.lastsMs / 1000} s, ${owed} values waited, sessions lost ${status.mqtt.sessionsLost}; ${await rig.end()}`;
  });

/** The group of processes may take so much; beyond that the kernel kills. There is no swap to go to. */
function memoryLimit(megabytes: number): Trial['run'] {
  return (place) =>
    withRig(place, async (rig) => {
      const group = join(MEMORY_CGROUP, `withstand-${process.pid}`);
      await mkdir(group);
      await writeFile(join(group, 'memory.limit_in_bytes'), `${megabytes}M`);
      try {
        const enter = `echo $$ > ${group}/cgroup.procs; exec "$@"`;
        const bridge = await rig.startBridge({ wrapper: ['sh', '-c', enter, 'sh'] });
        await rig.begin();
        // A backlog, which the journal and the backups hold, and a replay.
        rig.standin.close();
        rig.standin.kill();
        await rig.untilStatus('the outage', ({ oracle }) => oracle.state === 'down');
        await wait(place.lastsMs);
        await rig.standin.open();
        await rig.untilMore(SOME_VALUES);
        const { peak } = await residentMegabytes(bridge.pid);
        return `limit ${megabytes} MB, at most ${peak.toFixed(0)} MB resident; ${await rig.end()}`;
      } finally {
        if (rig.bridge.isRunning) await rig.bridge.cutOff();
        await run('rmdir', [group]);
      }
    });
}

/** Peers take what descriptors there are left, again and again, an outage begins, and a file is needed. */
function descriptors(limit: number): Trial['run'] {
  return (place) =>
    withRig(place, async (rig) => {
      const bridge = await rig.startBridge();
      await rig.begin();
      // Only now: the start alone has more modules open at once.
      await run('prlimit', ['--pid', String(bridge.pid), `--nofile=${limit}:${limit}`]);
      const crowd = new Crowd(bridge.url, limit * 2, '');
      await crowd.gather();
      await untilOrStuck(
        'no descriptor to be left',
        async () => (await openDescriptors(bridge.pid)) >= limit,
        () => 0,
      );
      rig.standin.close();
      rig.standin.kill();
      let fullLooks = 0;
      const looks = Math.ceil(place.lastsMs / LOOK_EVERY_MS);
      for (let look = 0; look < looks; look += 1) {
        await crowd.gather();
        await wait(LOOK_EVERY_MS);
        fullLooks += Number((await openDescriptors(bridge.pid)) >= limit);
      }
      crowd.leave();
      await rig.standin.open();
      await rig.untilMore(SOME_VALUES);
      const share = ((fullLooks / looks) * 100).toFixed(0);
      return `during the outage all ${limit} were open ${share} % of the time; ${await rig.end()}`;
    });
}

const retained: Trial['run'] = (place) =>
  withRig(place, async (rig) => {
    const { publisher } = rig;
    publisher.isHeld = true;
    publisher.start();
    await untilOrStuck(
      'the publisher',
      () => publisher.publishOne(false) !== undefined,
      () => 0,
    );
    const numbers = Array.from({ length: RETAINED_MESSAGES }, (_, i) =>
      publisher.publishOne(true, { topic: `kept/${i}/tags`, retain: true }),
    );
    await untilOrStuck(
      'the broker',
      () => publisher.unacknowledged === 0,
      () => publisher.acknowledged,
    );
    await rig.startBridge();
    await rig.begin();
    const { ledger } = publisher;
    await untilOrStuck(
      'all that was retained',
      () => numbers.every((each) => ledger.hasArrived(each!)),
      () => ledger.found,
    );
    await rig.bridge.drain(30_000);
    // A new session brings them again.
    const forgets = await connectAsync(rig.broker.url, { clientId: BRIDGE_ID, clean: true });
    await forgets.endAsync();
    await rig.startBridge();
    const { counters } = await rig.untilStatus(
      'them to come again',
      (status) => status.counters.messagesSkipped >= RETAINED_MESSAGES,
    );
    publisher.isHeld = false;
    await rig.untilMore(SOME_VALUES);
    return `${RETAINED_MESSAGES} retained messages, ${counters.messagesSkipped} known in a new session; ${await rig.end()}`;
  });

const large: Trial['run'] = (place) =>
  withRig(place, async (rig) => {
    const bridge = await rig.startBridge();
    await rig.begin();
    const padded = (bytes: number) => (payload: string) => payload.replace('{', `{"pad":"${'x'.repeat(bytes)}",`);
    const numbers = Array.from({ length: 5 }, () => rig.publisher.publishOne(true, { dressed: padded(LARGE_BYTES) }));
    // More than the packets that it says to take: the broker keeps it.
    rig.publisher.publishOne(false, { dressed: padded(2 * LARGE_BYTES) });
    const { ledger } = rig.publisher;
    await untilOrStuck(
      'the large messages',
      () => numbers.every((each) => ledger.hasArrived(each!)),
      () => ledger.found,
    );
    await rig.untilMore(SOME_VALUES);
    const { peak } = await residentMegabytes(bridge.pid);
    return `5 messages of 10 MiB, and one of 20 MiB that is not for it; at most ${peak.toFixed(0)} MB resident; ${await rig.end()}`;
  });

const peersThatNeverRead: Trial['run'] = (place) =>
  withRig(place, async (rig) => {
    const bridge = await rig.startBridge();
    await rig.begin();
    const before = await residentMegabytes(bridge.pid);
    const crowds = [
      new Crowd(bridge.url, CONNECTIONS / 2, 'GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n'),
      new Crowd(bridge.url, CONNECTIONS / 2, ''),
    ];
    let most = 0;
    for (const crowd of crowds) {
      await crowd.gather();
      most = Math.max(most, await openDescriptors(bridge.pid));
    }
    await wait(place.lastsMs);
    await rig.untilMore(SOME_VALUES);
    const last = await openDescriptors(bridge.pid);
    const { now } = await residentMegabytes(bridge.pid);
    for (const crowd of crowds) crowd.leave();
    await rig.untilStatus('an answer', () => true);
    return (
      `${CONNECTIONS} connections, at most ${most} descriptors open, ${last} in the end; ` +
      `memory ${before.now.toFixed(0)} to ${now.toFixed(0)} MB; ${await rig.end()}`
    );
  });

async function openDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

export const TRIALS: readonly Trial[] = [
  {
    name: 'clock',
    what: `the clock jumps by ${HOURS} hours, forwards, back and back again`,
    missing: faketimeMissing,
    run: clockJump(HOURS, -HOURS),
  },
  { name: 'stopped', what: 'SIGSTOP, and SIGCONT much later', run: stopped },
  {
    name: 'memory',
    what: '128 MB of memory for the process, with a backlog and a replay',
    missing: memoryLimitMissing,
    run: memoryLimit(128),
  },
  {
    name: 'descriptors',
    what: '64 descriptors once it has started, all of them taken by peers when an outage begins',
    run: descriptors(64),
  },
  { name: 'retained', what: '10,000 retained messages at once, and again with a new session', run: retained },
  { name: 'large', what: 'messages of 10 MiB, and one that is larger than it takes', run: large },
  {
    name: 'peers',
    what: '1,000 HTTP connections, half of them event streams, that never read',
    run: peersThatNeverRead,
  },
  { name: 'read-only', what: 'the filesystem becomes read-only', missing: needsRoot, run: readOnly },
  { name: 'slow-disk', what: 'a disk that takes 10 s for each sync', missing: gccMissing, run: slowDisk },
];
