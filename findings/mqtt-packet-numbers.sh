#!/usr/bin/env bash
# mqtt-packet 9.0.2 (npm), the part of MQTT.js 5 that reads and writes packets: the first packet that a process writes costs it 65,536 Buffers.
#
# Behaviour: with the first packet, of whatever kind, a Buffer of two bytes is made for each number from 0 to 65,535 and kept for good, so that a packet id need
# not be written when it is used. A PINGREQ, which has no number in it, costs as much. `writeToStream.cacheNumbers = false` before that leaves it out.
# One would guess: that a client that sends some bytes takes some kilobytes.
# For users: most of what an MQTT client in Node.js adds to the heap of a small gateway, and of each process anew.
source "$(dirname "$0")/lib/setup.sh"
need node npm
cd "$WORK"
npm install --silent --no-audit --no-fund --prefix . mqtt-packet@9.0.2 >/dev/null
cat >held.mjs <<'JS'
import { PassThrough } from 'node:stream';
import { writeToStream } from 'mqtt-packet';

if (process.argv[2] === 'without') writeToStream.cacheNumbers = false;
const held = () => {
  for (let i = 0; i < 3; i += 1) globalThis.gc();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
const stream = new PassThrough();
stream.resume();
const before = held();
writeToStream({ cmd: 'pingreq' }, stream);
await new Promise((resolve) => setTimeout(resolve, 200));
console.log(((held() - before) / 1e6).toFixed(1));
JS
with=$(node --expose-gc held.mjs with)
without=$(node --expose-gc held.mjs without)
echo "  held after one PINGREQ: $with MB"
echo "  the same with cacheNumbers = false: $without MB"
node -e 'process.exit(Number(process.argv[1]) > 5 && Number(process.argv[2]) < 1 ? 0 : 1)' "$with" "$without"
