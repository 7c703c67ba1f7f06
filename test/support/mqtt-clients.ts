import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mqtt, { type IClientPublishOptions } from 'mqtt';

import { systemClock } from '../../src/core/clock.ts';
import type { Delivery, Release } from '../../src/core/message.ts';
import type { AckMark } from '../../src/mqtt/acks/ack-proofs.ts';
import { nodeFileSystem } from '../../src/core/node-filesystem.ts';
import { BrokerMemory } from '../../src/mqtt/connection/broker-memory.ts';
import { MqttSource, type SourceOptions } from '../../src/mqtt/source.ts';
import { SubscriptionMemory } from '../../src/mqtt/session/subscription-memory.ts';
import { RecordingLogger } from './recording-logger.ts';
import { startAedes } from './aedes.ts';
import { mosquittoMissing, startMosquitto } from './mosquitto.ts';

/** The brokers and protocol versions that the tests of the intake run on. */
export const BROKERS = [
  { name: 'mosquitto, MQTT 5', skip: mosquittoMissing !== undefined, version: 5, start: () => startMosquitto() },
  { name: 'mosquitto, MQTT 3.1.1', skip: mosquittoMissing !== undefined, version: 4, start: () => startMosquitto() },
  { name: 'aedes, MQTT 3.1.1', skip: false, version: 4, start: () => startAedes() },
] as const;

export const NO_TLS = { ca: '', cert: '', key: '', rejectUnauthorized: true };

/** A source with all that it received, acknowledged at once or, with `hold`, by the test. */
export interface SourceUnderTest {
  readonly source: MqttSource;
  readonly deliveries: Delivery[];
  readonly releases: Release[];
  /** What was proven to have arrived; ordinals are given in the order of arrival. */
  readonly proven: AckMark[];
  readonly payloads: () => string[];
  readonly log: RecordingLogger;
}

/** Everything that a test opened, closed in the reverse order. */
export class Opened {
  readonly #closers: (() => Promise<unknown>)[] = [];

  add<T>(thing: T, close: (thing: T) => Promise<unknown>): T {
    this.#closers.push(() => close(thing));
    return thing;
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }

  async directory(): Promise<string> {
    return this.add(await mkdtemp(join(tmpdir(), 'bridge-mqtt-')), (path) => rm(path, { recursive: true }));
  }

  /** Its memory is in `directory`; two sources with the same one are the same bridge before and after a restart. */
  source(
    url: string | readonly string[],
    directory: string,
    options: Partial<SourceOptions> & { readonly hold?: boolean; readonly onReceive?: () => void } = {},
  ): SourceUnderTest {
    const { hold = false, onReceive, clientId = 'bridge-under-test', protocolVersion = 5, ...rest } = options;
    const log = new RecordingLogger();
    const { clock = systemClock } = options;
    const path = join(directory, 'broker.json');
    const about = { url, clientId, protocolVersion, clock, log };
    const deliveries: Delivery[] = [];
    const releases: Release[] = [];
    const proven: AckMark[] = [];
    const source = new MqttSource(
      {
        url,
        clientId,
        username: '',
        password: '',
        protocolVersion,
        keepaliveSeconds: 30,
        sessionExpirySeconds: 3600,
        receiveMaximum: 100,
        tls: NO_TLS,
        subscriptions: [{ topic: 'plc/+/tags', qos: 1 }],
        brokerMemory: new BrokerMemory({ files: nodeFileSystem, path, ...about }),
        memory: new SubscriptionMemory(nodeFileSystem, join(directory, 'subscriptions.json')),
        onNewSession: () => Promise.resolve(),
        log,
        clock,
        ...rest,
      },
      {
        receive: (delivery) => {
          deliveries.push(delivery);
          delivery.ordinal = deliveries.length;
          if (!hold) delivery.acknowledge(deliveries.length);
          onReceive?.();
        },
        release: (release) => {
          releases.push(release);
          if (!hold) release.acknowledge();
        },
        written: () => {},
        proven: (mark) => void proven.push(mark),
      },
    );
    this.add(source, (opened) => opened.stop());
    return {
      source,
      deliveries,
      releases,
      proven,
      payloads: () => deliveries.map(({ payload }) => payload.toString()),
      log,
    };
  }
}

/** Publishes at QoS 1 unless told otherwise; resolves when the broker has all. */
export async function publish(
  url: string,
  topic: string,
  payloads: readonly string[],
  options: IClientPublishOptions = {},
): Promise<void> {
  const protocolVersion = options.properties === undefined ? 4 : 5;
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, protocolVersion });
  await Promise.all(payloads.map((payload) => client.publishAsync(topic, payload, { qos: 1, ...options })));
  await client.endAsync();
}

/** `from` … `to` - 1 as texts. */
export function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => String(from + i));
}
