import { startRealBroker, type RealBroker } from '../brokers/broker.ts';
import { BROKERS } from '../brokers/table.ts';

/** A broker that a fleet shares; it stays up for the whole run. */
export interface RunningFleetBroker {
  readonly url: string;
  stop(): Promise<void>;
}

export interface FleetBroker {
  /** Why it can't be run here. */
  readonly missing: string | undefined;
  start(): Promise<RunningFleetBroker>;
}

/** By name, for `--broker`: those that speak MQTT 5, which is where shared subscriptions are. */
export const FLEET_BROKERS: ReadonlyMap<string, FleetBroker> = new Map(
  BROKERS.filter(({ protocols }) => protocols.includes(5)).map((broker) => [broker.name, realBroker(broker)]),
);

/** A broker that runs already, at an address; it must not know the sessions of the members yet. */
export function brokerAt(url: string): FleetBroker {
  return { missing: undefined, start: () => Promise.resolve({ url, stop: () => Promise.resolve() }) };
}

function realBroker(broker: RealBroker): FleetBroker {
  return {
    missing: broker.missing,
    start: async () => {
      const running = await startRealBroker(broker);
      return { url: running.url, stop: () => running.dispose() };
    },
  };
}
