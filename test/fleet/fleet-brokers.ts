import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';

/** A broker that a fleet shares; it stays up for the whole run. */
export interface RunningFleetBroker {
  readonly url: string;
  stop(): Promise<void>;
}

export interface FleetBroker {
  /** Why it can't be run here. */
  readonly missing: string | undefined;
  /** A version in which it knows shared subscriptions. */
  readonly protocolVersion: 4 | 5;
  start(): Promise<RunningFleetBroker>;
}

/** By name, for `--broker`. */
export const FLEET_BROKERS: Readonly<Record<string, FleetBroker>> = {
  mosquitto: {
    missing: mosquittoMissing,
    protocolVersion: 5,
    start: () => startMosquitto({ config: ['max_queued_messages 0', 'max_inflight_messages 1000'] }),
  },
};

/** A broker that runs already, at an address; it must not know the sessions of the members yet. */
export function brokerAt(url: string): FleetBroker {
  return {
    missing: undefined,
    protocolVersion: 5,
    start: () => Promise.resolve({ url, stop: () => Promise.resolve() }),
  };
}
