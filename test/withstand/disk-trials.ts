import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

import { SOME_VALUES, withRig, type Trial } from './trial.ts';

const run = promisify(execFile);

const SYNC_SECONDS = 10;

/** An error of its own has the kernel make the filesystem read-only [ext4(5), errors=remount-ro]; a person mends it. */
export const readOnly: Trial['run'] = async (place) => {
  const [image, disk] = [join(place.directory, 'image'), join(place.directory, 'disk')];
  await mkdir(disk);
  await run('truncate', ['-s', '64M', image]);
  await run('mkfs.ext4', ['-q', '-F', image]);
  const mount = (): Promise<unknown> => run('mount', ['-o', 'loop,errors=remount-ro', image, disk]);
  await mount();
  try {
    return await withRig({ ...place, dataDirectory: disk }, async (rig) => {
      const bridge = await rig.startBridge();
      await rig.begin();
      const { stdout } = await run('findmnt', ['-no', 'SOURCE', disk]);
      await writeFile(`/sys/fs/ext4/${stdout.trim().replace('/dev/', '')}/trigger_fs_error`, 'withstand');
      const { problems } = await rig.untilStatus('the journal', ({ journal }) => journal.state !== 'ok');
      await wait(place.lastsMs);
      if (!bridge.isRunning) throw new Error(`the bridge ended with ${bridge.end}`);
      await bridge.cutOff();
      await run('umount', [disk]);
      await run('fsck.ext4', ['-y', image]).catch(() => {}); // 1: it has mended something
      await mount();
      await rig.startBridge();
      await rig.untilMore(SOME_VALUES);
      return `it said "${problems[0]}"; mended and started again: ${await rig.end()}`;
    });
  } finally {
    await run('umount', ['-l', disk]);
  }
};

const SLOW_SYNC = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static void slow(void) { if (access(SWITCH, F_OK) == 0) sleep(SECONDS); }
int fdatasync(int fd) { slow(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
int fsync(int fd) { slow(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
`;

/** Each fsync and fdatasync of the bridge takes ten seconds while a file is there. */
export const slowDisk: Trial['run'] = (place) =>
  withRig(place, async (rig) => {
    const [source, library, lever] = ['slow.c', 'slow.so', 'slow'].map((name) => join(place.directory, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(source, SLOW_SYNC);
    await run('gcc', [
      '-shared',
      '-fPIC',
      `-DSWITCH="${lever}"`,
      `-DSECONDS=${SYNC_SECONDS}`,
      '-o',
      library,
      source,
      '-ldl',
    ]);
    const bridge = await rig.startBridge({ env: { LD_PRELOAD: library } });
    await rig.begin();
    const before = rig.publisher.ledger.found;
    await writeFile(lever, '');
    const beganAtMs = performance.now();
    let slowestMs = 0;
    while (performance.now() - beganAtMs < Math.max(place.lastsMs, 4 * SYNC_SECONDS * 1000)) {
      const askedAtMs = performance.now();
      await bridge.status();
      slowestMs = Math.max(slowestMs, performance.now() - askedAtMs);
      await wait(1000);
    }
    const [values, seconds] = [rig.publisher.ledger.found - before, (performance.now() - beganAtMs) / 1000];
    await run('rm', [lever]);
    await rig.untilMore(SOME_VALUES);
    const { mqtt } = await rig.untilStatus('the session', (status) => status.mqtt.connected);
    return (
      `${(values / seconds).toFixed(0)} values/s meanwhile, the slowest status took ${slowestMs.toFixed(0)} ms, ` +
      `sessions lost ${mqtt.sessionsLost}; ${await rig.end()}`
    );
  });
