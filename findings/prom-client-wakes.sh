#!/usr/bin/env bash
# prom-client 15.1.3 (npm): with its default metrics a process that does nothing wakes up a hundred times a second.
#
# Behaviour: collectDefaultMetrics() starts a timer of the event loop's delay that fires every 10 ms for good, whether anybody scrapes or not. What the
# timer measures holds its own interval: `nodejs_eventloop_lag_mean_seconds` says 10 ms of a process that is idle.
# One would guess: that metrics cost something when they are scraped, and that an idle process has a lag of nothing.
# For users: on a small gateway this is most of what an idle service takes. `eventLoopMonitoringPrecision` sets the interval, and with it the figures.
source "$(dirname "$0")/lib/setup.sh"
need node npm
cd "$WORK"
npm install --silent --no-audit --no-fund --prefix . prom-client@15.1.3 >/dev/null
cat >idle.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { collectDefaultMetrics, register } from 'prom-client';

const SECONDS = 5;
const wakes = () => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const perSecond = async () => {
  await wait(1000);
  const before = wakes();
  await wait(SECONDS * 1000);
  return (wakes() - before) / SECONDS;
};
const alone = await perSecond();
collectDefaultMetrics();
const withMetrics = await perSecond();
const mean = Number(/^nodejs_eventloop_lag_mean_seconds (\S+)/m.exec(await register.metrics())[1]);
let isSame = true;
const see = (text, isSo) => {
  console.log(`${isSo ? ' ' : '!'} ${text}`);
  isSame &&= isSo;
};
see(`idle, nothing asked for: ${alone.toFixed(1)} wake-ups a second`, alone < 10);
see(`idle, with the default metrics, never scraped: ${withMetrics.toFixed(1)} wake-ups a second`, withMetrics > 60);
see(`the mean lag of the event loop that it tells: ${(mean * 1000).toFixed(1)} ms`, mean > 0.009);
process.exit(isSame ? 0 : 1);
JS
node idle.mjs
