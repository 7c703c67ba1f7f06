/**
 * Three PLCs of a made-up bottling plant, publishing once a second:
 *
 *     PLC01 filling line   polling   plc/PLC01/tags
 *     PLC02 boiler house   polling   plc/PLC02/tags
 *     PLC03 utilities      scalar    plant/PLC03/<tag>
 *
 * On its own: `npx tsx scripts/simulate-plant.ts [mqtt://127.0.0.1:1883]`, until Ctrl-C.
 */
import { pathToFileURL } from 'node:url';

import mqtt, { type MqttClient } from 'mqtt';

type Scalar = number | boolean | string | null;
type TagPayload = Scalar | { readonly value: Scalar; readonly quality: string };

export interface Plant {
  /** Values published so far, as acknowledged by the broker. */
  readonly valuesPublished: number;
  stop(): Promise<void>;
}

const INTERVAL_MS = 1000;

/** A figure that wanders about its middle and comes back. */
class Wandering {
  #value: number;
  readonly #middle: number;
  readonly #step: number;

  constructor(middle: number, step: number) {
    this.#value = middle;
    this.#middle = middle;
    this.#step = step;
  }

  next(): number {
    this.#value += (Math.random() - 0.5) * this.#step + (this.#middle - this.#value) * 0.05;
    return Math.round(this.#value * 100) / 100;
  }
}

class FillingLine {
  readonly #temperature = new Wandering(4.2, 0.3);
  readonly #speed = new Wandering(240, 12);
  #bottles = 1_048_576;
  #state = 'RUN';
  #secondsInState = 0;

  tags(): Record<string, TagPayload> {
    this.#secondsInState += 1;
    if (this.#secondsInState > 20 && Math.random() < 0.1) {
      this.#state = this.#state === 'RUN' ? (Math.random() < 0.3 ? 'FAULT' : 'CIP') : 'RUN';
      this.#secondsInState = 0;
    }
    const isRunning = this.#state === 'RUN';
    const speed = isRunning ? this.#speed.next() : 0;
    this.#bottles += Math.round(speed / 60);
    return {
      product_temperature: this.#temperature.next(),
      bottles_per_minute: speed,
      bottle_count: this.#bottles,
      state: this.#state,
      motor_on: isRunning,
      fault_code: this.#state === 'FAULT' ? 'E-217 crown jam' : null,
    };
  }
}

class BoilerHouse {
  readonly #steam = new Wandering(8.4, 0.2);
  readonly #water = new Wandering(72, 2);
  readonly #flue = new Wandering(182, 5);

  /** The water level's sensor is a loose one. */
  tags(): Record<string, TagPayload> {
    const level = this.#water.next();
    return {
      steam_pressure_bar: this.#steam.next(),
      water_level_percent: Math.random() < 0.1 ? { value: level, quality: 'BAD' } : level,
      flue_gas_celsius: this.#flue.next(),
      burner_on: Math.random() < 0.8,
    };
  }
}

class Utilities {
  readonly #air = new Wandering(6.8, 0.1);
  readonly #power = new Wandering(318, 20);
  #energyKwh = 884_213;

  tags(): Record<string, Scalar> {
    const power = this.#power.next();
    this.#energyKwh += power / 3600;
    return {
      compressed_air_bar: this.#air.next(),
      power_kw: power,
      energy_kwh: Math.round(this.#energyKwh * 1000) / 1000,
    };
  }
}

/** Starts publishing to the broker at `url`; resolves when it is connected. */
export async function startPlant(url: string): Promise<Plant> {
  const client = await mqtt.connectAsync(url, { clientId: 'simulated-plant', queueQoSZero: false });
  const plant = { valuesPublished: 0 };
  const polled = { PLC01: new FillingLine(), PLC02: new BoilerHouse() };
  const utilities = new Utilities();

  const publish = async (topic: string, payload: string, values: number): Promise<void> => {
    await client.publishAsync(topic, payload, { qos: 1 });
    plant.valuesPublished += values;
  };
  const scan = (): void => {
    if (!client.connected) return;
    const timestamp = new Date().toISOString();
    const published: Promise<void>[] = [];
    for (const [plcCode, plc] of Object.entries(polled)) {
      const tags = plc.tags();
      const payload = JSON.stringify({ timestamp, plc_code: plcCode, tag_values: tags });
      published.push(publish(`plc/${plcCode}/tags`, payload, Object.keys(tags).length));
    }
    for (const [tag, value] of Object.entries(utilities.tags())) {
      published.push(publish(`plant/PLC03/${tag}`, String(value), 1));
    }
    Promise.all(published).catch((error: unknown) => console.error(`plant: not published: ${String(error)}`));
  };
  const timer = setInterval(scan, INTERVAL_MS);
  scan();
  return {
    get valuesPublished() {
      return plant.valuesPublished;
    },
    stop: () => stopPlant(client, timer),
  };
}

async function stopPlant(client: MqttClient, timer: NodeJS.Timeout): Promise<void> {
  clearInterval(timer);
  // What is under way is counted before.
  await client.endAsync(!client.connected);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const url = process.argv[2] ?? 'mqtt://127.0.0.1:1883';
  const plant = await startPlant(url);
  console.log(`simulated plant: publishing to ${url}, Ctrl-C ends it`);
  process.once('SIGINT', () => void plant.stop());
}
