import mqtt from 'mqtt';
import { afterEach, describe, expect, test } from 'vitest';

import { systemClock } from '../../src/core/clock.ts';
import { SparkplugHost } from '../../src/mqtt/sparkplug-host.ts';
import { rebirthRequest } from '../../src/payload/sparkplug/commands.ts';
import { BROKERS, NO_TLS, Opened, publish } from '../support/mqtt-clients.ts';
import { startMqttTap } from '../support/mqtt-tap.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const STATE = 'spBv1.0/STATE/plant-host';

interface Heard {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  readonly qos: number;
}

interface HostState {
  readonly online: boolean;
  readonly timestamp: number;
}

const opened = new Opened();
afterEach(() => opened.close());

function stateOf({ payload }: Heard): HostState {
  return JSON.parse(payload.toString()) as HostState;
}

async function watch(url: string): Promise<Heard[]> {
  const heard: Heard[] = [];
  const client = opened.add(await mqtt.connectAsync(url), (running) => running.endAsync());
  client.on('message', (topic, payload, { qos, retain }) => void heard.push({ topic, payload, qos, retain }));
  await client.subscribeAsync('spBv1.0/#', { qos: 1 });
  return heard;
}

for (const { name, skip, start, version } of BROKERS) {
  describe.skipIf(skip)(`the host application of Sparkplug on ${name}`, () => {
    const open = async () => {
      const broker = opened.add(await start(), (running) => running.stop());
      const tap = opened.add(await startMqttTap(broker.url), (running) => running.stop());
      const heard = await watch(broker.url);
      let isReady = true;
      const host = new SparkplugHost({
        url: tap.url,
        clientId: 'bridge-under-test',
        username: '',
        password: '',
        protocolVersion: version,
        keepaliveSeconds: 30,
        tls: NO_TLS,
        stateTopic: STATE,
        isReady: () => isReady,
        log: new RecordingLogger(),
        clock: systemClock,
      });
      opened.add(host, (running) => running.stop());
      const onlines = (): boolean[] => heard.map((each) => stateOf(each).online);
      const become = (ready: boolean): void => void (isReady = ready);
      return { become, broker, heard, host, onlines, tap };
    };

    test('is born online, at QoS 1 and retained, after it has subscribed to its own state', async () => {
      const { broker, heard, host, tap } = await open();
      const beganAtMs = Date.now();
      await host.start();
      await until('the birth', () => heard.length === 1);
      expect(heard[0]).toMatchObject({ topic: STATE, qos: 1 });
      expect(stateOf(heard[0]!)).toEqual({ online: true, timestamp: expect.any(Number) as number });
      expect(stateOf(heard[0]!).timestamp - beganAtMs).toBeGreaterThanOrEqual(0);
      expect(tap.sent.slice(0, 3).map(({ type }) => type)).toEqual(['connect', 'subscribe', 'publish']);
      const kept = await watch(broker.url);
      await until('the kept state', () => kept.length === 1);
      expect(kept[0]).toMatchObject({ topic: STATE, retain: true, payload: heard[0]!.payload });
    });

    test('dies by its will, with the time of its birth, when the connection breaks, and is born again later', async () => {
      const { heard, host, tap } = await open();
      await host.start();
      await until('the birth', () => heard.length === 1);
      tap.cut();
      await until('death and birth', () => heard.length >= 3);
      const [first, death, second] = heard.map(stateOf);
      expect(death).toEqual({ online: false, timestamp: first!.timestamp });
      expect(second!.online).toBe(true);
      expect(second!.timestamp).toBeGreaterThan(first!.timestamp);
    });

    test('connects with a clean session, and a will that is retained and has the time of the birth', async () => {
      const { heard, host, tap } = await open();
      await host.start();
      await until('the birth', () => heard.length === 1);
      const [connect] = tap.connects;
      expect(connect).toMatchObject({ clean: true, will: { topic: STATE, qos: 1, retain: true } });
      expect(connect!.properties?.sessionExpiryInterval ?? 0).toBe(0);
      const will = JSON.parse(connect!.will!.payload.toString()) as HostState;
      expect(will).toEqual({ online: false, timestamp: stateOf(heard[0]!).timestamp });
    });

    test('says offline with the time of the stop, then disconnects, and no will follows', async () => {
      const { broker, heard, host, tap } = await open();
      await host.start();
      await until('the birth', () => heard.length === 1);
      await host.stop();
      expect(tap.sent.at(-1)!.type).toBe('disconnect');
      await publish(broker.url, 'spBv1.0/mark', ['{"online":true,"timestamp":0}']);
      await until('the mark', () => heard.length >= 3);
      expect(heard.map(({ topic }) => topic)).toEqual([STATE, STATE, 'spBv1.0/mark']);
      const [birth, death] = heard.map(stateOf);
      expect(heard[1]!.qos).toBe(1);
      const kept = await watch(broker.url);
      await until('the kept state', () => kept.length === 1);
      expect(kept[0]).toMatchObject({ topic: STATE, retain: true, payload: heard[1]!.payload });
      expect(death!.online).toBe(false);
      expect(death!.timestamp).toBeGreaterThanOrEqual(birth!.timestamp);
    });

    test('goes offline when nothing can be stored, and is born anew, with a will of its time, when it can', async () => {
      const { become, heard, host, onlines, tap } = await open();
      become(false);
      await host.start();
      await until('offline', () => onlines().join(',') === 'false');
      become(true);
      await until('online', () => onlines().join(',') === 'false,true');
      expect(tap.count('connect')).toBe(2);
      become(false);
      await until('offline again', () => onlines().join(',') === 'false,true,false');
      become(true);
      await until('online again', () => onlines().join(',') === 'false,true,false,true');
      tap.cut();
      await until('the will', () => onlines().join(',').startsWith('false,true,false,true,false'));
      const states = heard.map(stateOf);
      expect(states[4]!.timestamp).toBe(states[3]!.timestamp);
    });

    test('answers a late death of an earlier connection with its birth', async () => {
      const { broker, heard, host, onlines } = await open();
      await host.start();
      await until('the birth', () => heard.length === 1);
      await publish(broker.url, STATE, ['{"online":false,"timestamp":1}'], { retain: true });
      await until('the birth again', () => onlines().join(',') === 'true,false,true');
      const [birth, , again] = heard.map(stateOf);
      expect(again).toEqual(birth);
    });

    test('answers such a death with its birth also where it hears of it before the birth is acknowledged', async () => {
      const { broker, heard, host, onlines, tap } = await open();
      tap.holdFrom('publish');
      await host.start();
      await until('the birth', () => heard.length === 1);
      await publish(broker.url, STATE, ['{"online":false,"timestamp":1}'], { retain: true });
      await until('the death', () => heard.length === 2);
      tap.release();
      await until('the birth again', () => onlines().join(',') === 'true,false,true');
      const [birth, , again] = heard.map(stateOf);
      expect(again).toEqual(birth);
    });

    test('sends no request for births before it is online', async () => {
      const { become, broker, heard, host, onlines, tap } = await open();
      become(false);
      await host.start();
      await until('the connection', () => tap.count('subscribe') === 1);
      await expect(host.send('spBv1.0/G/NCMD/N', rebirthRequest(1))).rejects.toThrow('not');
      await until('offline', () => onlines().join(',') === 'false');
      await expect(host.send('spBv1.0/G/NCMD/N', rebirthRequest(1))).rejects.toThrow('not online');
      await publish(broker.url, 'spBv1.0/mark', ['{"online":true,"timestamp":0}']);
      await until('the mark', () => heard.some(({ topic }) => topic === 'spBv1.0/mark'));
      expect(heard.map(({ topic }) => topic)).toEqual([STATE, 'spBv1.0/mark']);
    });

    test('sends a request for births at QoS 0, not retained, and none without a connection', async () => {
      const { heard, host } = await open();
      await expect(host.send('spBv1.0/G/NCMD/N', Buffer.from('x'))).rejects.toThrow('not connected');
      await host.start();
      await until('the birth', () => heard.length === 1);
      await until('the host to know it', async () => {
        return host.send('spBv1.0/G/NCMD/N', rebirthRequest(1_700_000_000_000)).then(
          () => true,
          () => false,
        );
      });
      await until('the command', () => heard.length === 2);
      expect(heard[1]).toMatchObject({ topic: 'spBv1.0/G/NCMD/N', qos: 0, retain: false });
      expect(heard[1]!.payload.includes('Node Control/Rebirth')).toBe(true);
    });
  });
}
