import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock, type Clock } from '../../src/core/clock.ts';
import { MannersWatch, type MannersWatchOptions, type PresentBroker } from '../../src/mqtt/trial/manners-watch.ts';
import { startAedes, type RunningAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { NO_TLS, Opened } from '../support/mqtt-clients.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const SHARED = { topic: '$share/bridges/plant/+/x' };

/** It looks a thousand times as often as it would. */
const HASTY: Clock = {
  ...systemClock,
  setTimer: (delayMs, run) => systemClock.setTimer(delayMs === 5000 ? 5 : delayMs, run),
};

let opened = new Opened();
let aedes: RunningAedes;

beforeEach(async () => {
  aedes = opened.add(await startAedes(), (running) => running.stop());
});

afterEach(async () => {
  await opened.close();
  opened = new Opened();
});

interface Setup {
  readonly watch: MannersWatch;
  readonly present: { -readonly [Key in keyof PresentBroker]: PresentBroker[Key] };
  readonly log: RecordingLogger;
  /** Client ids that have connected to aedes. */
  readonly clients: readonly string[];
  /** How often it has asked what the intake is connected to. */
  readonly looks: () => number;
}

function start(options: Partial<MannersWatchOptions> = {}): Setup {
  const present = { connected: true, url: aedes.url, protocolVersion: 4 as const };
  let looks = 0;
  const log = new RecordingLogger();
  const clients: string[] = [];
  aedes.broker.on('client', ({ id }) => void clients.push(id));
  const watch = new MannersWatch({
    clientId: 'gateway-01',
    username: '',
    password: '',
    keepaliveSeconds: 30,
    tls: NO_TLS,
    baseTopic: 'bridges/gateway-01',
    subscriptions: [SHARED, { topic: 'plc/+/tags' }],
    hasNotices: true,
    present: () => {
      looks += 1;
      return present;
    },
    log,
    clock: HASTY,
    ...options,
  });
  opened.add(watch, (running) => running.stop());
  watch.start();
  return { watch, present, log, clients, looks: () => looks };
}

describe('MannersWatch', () => {
  it('finds that a broker takes $share for an ordinary topic, says it once, and tries once', async () => {
    const { watch, log, clients } = start();
    const [problem, ...more] = await until('the problem', () => watch.problems.length > 0 && watch.problems);
    expect(more).toEqual([]);
    expect(problem!.problem).toMatch(/takes \$share\/bridges\/plant\/\+\/x as an ordinary topic/);
    expect(problem!.remedy).toMatch(/without \$share/);
    expect(log.entries.filter(({ level }) => level === 'warn')).toHaveLength(1);
    const tried = clients.length;
    expect(clients.every((id) => id.startsWith('gateway-01-check-'))).toBe(true);
    watch.want([SHARED, { topic: 'other/+/tags' }]);
    watch.want([{ topic: 'plc/+/tags' }]);
    expect(watch.problems).toEqual([]);
    await until('nobody is left', () => aedes.broker.connectedClients === 0);
    expect(clients).toHaveLength(tried);
    expect(log.entries.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('tries again with another broker, and not without a connection', async () => {
    const { watch, present, clients, looks } = start();
    await until('the problem', () => watch.problems.length > 0);
    const other = opened.add(await startAedes(), (running) => running.stop());
    const seen: string[] = [];
    other.broker.on('client', ({ id }) => void seen.push(id));
    const before = clients.length;
    present.connected = false;
    present.url = other.url;
    const looksBefore = looks();
    await until('it has looked', () => looks() > looksBefore + 3);
    expect(seen).toEqual([]);
    present.connected = true;
    await until('the other broker is tried', () => seen.length > 0 && watch.problems.length > 0);
    expect(clients).toHaveLength(before);
  });

  it('makes no trial that a running bridge would take for values', async () => {
    const { clients, looks, watch } = start({ subscriptions: [{ topic: 'bridges/#' }] });
    await until('it has looked', () => looks() > 3);
    expect(clients).toEqual([]);
    expect(watch.problems).toEqual([]);
  });

  it('says nothing but at the level debug when the broker is gone', async () => {
    await aedes.stop();
    const { watch, log } = start();
    await until('it was tried', () => log.entries.length > 0);
    expect(log.entries.map(({ level }) => level)).toEqual(['debug']);
    expect(watch.problems).toEqual([]);
  });

  it('stops at once in the middle of a trial, and takes it for no answer', async () => {
    const { watch, clients } = start();
    await until('it has begun', () => clients.length > 0);
    await watch.stop();
    expect(watch.problems).toEqual([]);
    await until('nobody is left', () => aedes.broker.connectedClients === 0);
  });

  it.skipIf(mosquittoMissing !== undefined)('finds nothing wrong with mosquitto', async () => {
    const { url } = opened.add(await startMosquitto(), (running) => running.stop());
    const present = (): PresentBroker => ({ connected: true, url, protocolVersion: 5 });
    const { watch, log } = start({ present });
    await until('the trial', () => log.entries.length > 0);
    expect(log.entries).toMatchObject([
      { level: 'debug', fields: { shared: 'shared', plusWithDot: true, dot: 'kept' } },
    ]);
    expect(watch.problems).toEqual([]);
  });
});

describe('the bridge', () => {
  it('has what its broker does in its status, with the remedy', async () => {
    const bridge = await BridgeProcess.start({
      config: { mqtt: { url: aedes.url, subscriptions: [SHARED] }, oracle: NOBODY },
    });
    opened.add(bridge, (running) => running.dispose());
    const status = await bridge.untilStatus('the problem', ({ mqtt }) => (mqtt.manners ?? []).length > 0);
    const [found] = status.mqtt.manners!;
    expect(status.problems).toContain(found!.problem);
    expect(status.advice).toContainEqual(found);
  });
});

const NOBODY = { connectString: '127.0.0.1:9/none', user: 'bridge', password: 'secret' };
