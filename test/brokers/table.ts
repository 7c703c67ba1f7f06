import type { RealBroker } from './broker.ts';
import { artemis, hivemq, moquette } from './java-brokers.ts';
import { amqtt, mochi, rabbitmq } from './other-brokers.ts';
import { aedes, mosquitto } from './plain-brokers.ts';

/** Every broker that the bridge is held against, in the order of docs/brokers.md. */
export const BROKERS: readonly RealBroker[] = [mosquitto, hivemq, artemis, rabbitmq, moquette, mochi, aedes, amqtt];
