import type { IClientOptions, MqttClient } from 'mqtt';

import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { Login } from './attempt.ts';
import type { BrokerMemory } from './broker-memory.ts';
import type { Trouble } from './connection-trouble.ts';
import type { ProtocolVersion } from './protocol-version.ts';
import type { TlsOptions } from './tls-files.ts';

export interface ConnectionOptions extends Login {
  /** A list names the brokers of one cluster, which share their sessions: they are tried in turn. */
  readonly url: string | readonly string[];
  readonly protocolVersion: ProtocolVersion;
  readonly tls: TlsOptions;
  /** Absent: nothing is known from before, and nothing remembered. */
  readonly brokerMemory?: BrokerMemory;
  readonly log: Logger;
  readonly clock: Clock;
}

/** What the two users of a connection do differently. */
export interface ConnectionRole {
  /** The one with the session, whose broker and version are remembered, and which comes back as quickly as may be. */
  readonly isIntake: boolean;
  /** Awaited before each attempt; must not throw. */
  connecting?(): Promise<void>;
  clientOptions(version: ProtocolVersion): IClientOptions;
  /** The client has not connected yet: the time to put listeners and overrides in place. */
  prepare(client: MqttClient): void;
  connected(client: MqttClient, sessionPresent: boolean): void;
  /** Also after an attempt that failed. */
  closed(): void;
}

export interface ConnectionStatus extends Partial<Trouble> {
  readonly connected: boolean;
  /** The version of the present connection; without one, that of the last, or of the first attempt. */
  readonly protocolVersion: ProtocolVersion;
  /** The URL of the broker that is connected to; without a connection, of the last one, or of the first to be tried. */
  readonly url: string;
  /** The address in `url`, for logs and people. */
  readonly broker: string;
}
