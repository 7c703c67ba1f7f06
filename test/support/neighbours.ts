import mqtt, { type MqttClient } from 'mqtt';

import type { BridgeProcess } from './bridge-process.ts';
import { startStandin, type Standin } from './standin/standin.ts';

interface RunningBroker {
  readonly url: string;
  stop(): Promise<void>;
}

/** What a bridge works between: a broker with a client that publishes, and a stand-in database without tables. */
export interface Neighbours<Broker extends RunningBroker> {
  readonly broker: Broker;
  readonly standin: Standin;
  readonly publisher: MqttClient;
  /** Disposes of the bridge, too, if there is one, while its broker and its database still run. */
  stop(bridge?: BridgeProcess): Promise<void>;
}

export async function startNeighbours<Broker extends RunningBroker>(
  startBroker: () => Promise<Broker>,
): Promise<Neighbours<Broker>> {
  const broker = await startBroker();
  const standin = await startStandin();
  const publisher = await mqtt.connectAsync(broker.url);
  return {
    broker,
    standin,
    publisher,
    stop: async (bridge) => {
      await publisher.endAsync(true);
      await bridge?.dispose();
      standin.stop();
      await broker.stop();
    },
  };
}
