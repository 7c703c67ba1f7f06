import mqtt, { type MqttClient } from 'mqtt';

import { BridgeProcess } from './bridge-process.ts';
import { startHalfOpenProxy, type HalfOpenProxy } from './half-open-proxy.ts';
import { startMosquitto, type RunningMosquitto } from './mosquitto.ts';
import { startStandin, type Standin } from './standin/standin.ts';
import { createTables, readRows } from './tag-table.ts';
import { until } from './until.ts';

/** A row of the table: name, number, text, time and quality. */
export type PlantRow = readonly [
  name: string,
  value: number | null,
  text: string | null,
  timeMs: number,
  quality: string,
];

/** The bridge as a host application at a real broker, with a table, and somebody who listens to what it says. */
export class SparkplugPlant {
  readonly broker: RunningMosquitto;
  readonly bridge: BridgeProcess;
  /** Publishers connect here, so that their connections can be left half open. */
  readonly proxy: HalfOpenProxy;
  readonly #standin: Standin;
  readonly #listener: MqttClient;
  readonly #heard: { topic: string; text: string }[] = [];

  private constructor(parts: {
    broker: RunningMosquitto;
    bridge: BridgeProcess;
    proxy: HalfOpenProxy;
    standin: Standin;
    listener: MqttClient;
  }) {
    this.broker = parts.broker;
    this.bridge = parts.bridge;
    this.proxy = parts.proxy;
    this.#standin = parts.standin;
    this.#listener = parts.listener;
    parts.listener.on('message', (topic, payload) => void this.#heard.push({ topic, text: payload.toString() }));
  }

  /** `options`: the key `sparkplug` of the subscription. */
  static async start(options: Readonly<Record<string, string | number>> = {}): Promise<SparkplugPlant> {
    return SparkplugPlant.#startAt(await startMosquitto(), options);
  }

  /** Another bridge, with a table of its own, that comes later to the same broker. To be left, not stopped. */
  static join(plant: SparkplugPlant): Promise<SparkplugPlant> {
    return SparkplugPlant.#startAt(plant.broker, { hostId: 'second-host' }, 'second-bridge');
  }

  static async #startAt(
    broker: RunningMosquitto,
    options: Readonly<Record<string, string | number>>,
    clientId = 'test-bridge',
  ): Promise<SparkplugPlant> {
    const standin = await startStandin();
    await createTables(standin);
    const listener = await mqtt.connectAsync(broker.url);
    const bridge = await BridgeProcess.start({
      config: {
        mqtt: {
          url: broker.url,
          clientId,
          subscriptions: [
            {
              topic: 'spBv1.0/#',
              format: 'sparkplugB',
              sparkplug: { hostId: 'plant-host', staleRows: true, reorderTimeoutMs: 200, ...options },
            },
          ],
        },
        oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
        writer: { intervalMs: 50 },
      },
    });
    const plant = new SparkplugPlant({
      broker,
      bridge,
      standin,
      listener,
      proxy: await startHalfOpenProxy(broker.port),
    });
    await listener.subscribeAsync(['spBv1.0/+/NCMD/#', 'spBv1.0/STATE/#', 'spBv1.0/+/STATE/#']);
    const stateTopic = `spBv1.0/STATE/${options['hostId'] ?? 'plant-host'}`;
    await until('the host to be online', () => plant.heardOn(stateTopic).at(-1)?.includes('"online":true') === true);
    return plant;
  }

  /** What the host said of itself last. */
  get lastState(): string {
    return this.#heard.findLast(({ topic }) => topic === 'spBv1.0/STATE/plant-host')?.text ?? '';
  }

  /** What was heard on the topic. */
  heardOn(topic: string): readonly string[] {
    return this.#heard.filter((each) => each.topic === topic).map(({ text }) => text);
  }

  /** How often births were asked for. */
  requests(node: string): number {
    return this.heardOn(`spBv1.0/G/NCMD/${node}`).filter((text) => text.includes('Node Control/Rebirth')).length;
  }

  /** As somebody else than the publishers under test. */
  async publish(topic: string, payload: Buffer | string, retain = false): Promise<void> {
    await this.#listener.publishAsync(topic, payload, { retain });
  }

  async rows(): Promise<readonly PlantRow[]> {
    const rows = await readRows(this.#standin);
    return rows.map(({ name, quality, text, timeMs, value }) => [name, value, text, timeMs, quality]);
  }

  /** The rows, once there are so many; of those whose names begin so. */
  async untilRows(count: number, beginning = ''): Promise<readonly PlantRow[]> {
    return until(
      `${count} rows of ${beginning}…`,
      async () => {
        const rows = (await this.rows()).filter(([name]) => name.startsWith(beginning));
        return rows.length >= count ? rows : undefined;
      },
      30_000,
      50,
    );
  }

  async stop(): Promise<void> {
    await this.leave();
    await this.broker.stop();
  }

  /** The same, and the broker runs on. */
  async leave(): Promise<void> {
    await this.#listener.endAsync(true);
    await this.bridge.dispose();
    await this.proxy.stop();
    this.#standin.stop();
  }
}
