import { Socket } from 'node:net';

import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from 'mqtt';
import { writeToStream } from 'mqtt-packet';

import type { CancelTimer, Clock } from '../../core/clock.ts';
import { coerceError, systemErrorCode } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { ConnackTimeoutError, ConnectTimeoutError, type ProtocolVersion } from './protocol-version.ts';
import { reasonCodeOf, reasonText } from './reason-codes.ts';
import type { TlsMaterial } from './tls-files.ts';

/** What a client tells the broker of itself. */
export interface Login {
  readonly clientId: string;
  /** Empty: none is sent. */
  readonly username: string;
  readonly password: string;
  readonly keepaliveSeconds: number;
}

/** How an attempt, or the connection that came of it, ended. */
export interface Outcome {
  /** Monotonic; undefined: the broker has not let us in. */
  readonly connectedAtMs: number | undefined;
  /** The reason code of CONNACK or DISCONNECT; undefined where the broker gave none. */
  readonly reasonCode: number | undefined;
  /** Undefined: closed by the broker without a word. */
  readonly error: Error | undefined;
}

export interface AttemptParts {
  readonly url: string;
  readonly options: IClientOptions;
  /** How long the broker may leave CONNECT unanswered. */
  readonly connackWaitMs: number;
  readonly clock: Clock;
  /** The client has not connected yet: the time to put listeners and overrides in place. */
  prepare(client: MqttClient): void;
  connected(client: MqttClient, connack: IConnackPacket): void;
  /** Once, before those who wait for an answer learn that none will come; also after an attempt that failed. */
  closed(): void;
}

// Else the first packet makes 65,536 Buffers, one for each packet id, that stay for good: 7 MB and more.
writeToStream.cacheNumbers = false;

/** How long the way to the broker may take, TLS and WebSocket included; CONNACK has its own time. */
export const CONNECT_TIMEOUT_MS = 15_000;
/** mqtt.js does not tell one kind of silence from the other: we do, so its own timer comes too late to be of effect. */
const NEVER_MS = 0x7fff_ffff;

/** What every client of ours asks of mqtt.js: one attempt, and nothing sent again by itself. */
export function baseOptions(login: Login, protocolVersion: ProtocolVersion, tls: TlsMaterial): IClientOptions {
  const { clientId, keepaliveSeconds, password, username } = login;
  return {
    clientId,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    keepalive: keepaliveSeconds,
    protocolVersion,
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...tls,
  };
}

/** Connects once, with a client of its own, and resolves when that is over. Never throws. */
export function attempt(parts: AttemptParts): Promise<Outcome> {
  return new Promise((resolve) => {
    const { clock } = parts;
    const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = {
      connectedAtMs: undefined,
      reasonCode: undefined,
      error: undefined,
    };
    try {
      const client = mqtt.connect(parts.url, { ...parts.options, connectTimeout: NEVER_MS });
      let connack: IConnackPacket | undefined;
      const fail = (error: Error): void => {
        const reasonCode = reasonCodeOf(error);
        outcome.error ??= reasonCode === undefined ? error : refusalError(reasonCode, connack);
        outcome.reasonCode ??= reasonCode;
        client.stream.destroy(); // after a malformed packet mqtt.js would wait for ever
      };
      let cancel: CancelTimer = () => {};
      client.once('packetreceive', (packet) => {
        if (packet.cmd === 'connack') connack = packet;
      });
      client.on('connect', (packet) => {
        cancel();
        sendAtOnce(client);
        outcome.connectedAtMs = clock.monotonic();
        parts.connected(client, packet);
      });
      client.on('disconnect', ({ reasonCode }) => {
        outcome.reasonCode = reasonCode;
        outcome.error = new Error(`ended by the broker: ${reasonText(reasonCode ?? 0)}`);
      });
      client.on('error', fail);
      client.once('close', () => {
        cancel();
        parts.closed();
        resolve(outcome);
        client.end(true); // calls back whoever waits for an answer
      });
      parts.prepare(client);
      client.connect();
      cancel = watch(client, parts, fail);
    } catch (error) {
      outcome.error = coerceError(error); // an option that tls or net can not take
      parts.closed();
      resolve(outcome);
    }
  });
}

/** What an error says; some system errors have a code and no words. Undefined where there is none. */
export function errorText(error: Error | undefined): string | undefined {
  if (error === undefined || error.message !== '') return error?.message;
  return systemErrorCode(error) ?? error.name;
}

function refusalError(reasonCode: number, connack: IConnackPacket | undefined): Error {
  const said = connack?.properties?.reasonString;
  return new Error(
    `refused by the broker: ${reasonText(reasonCode)}${said === undefined ? '' : `, “${printable(said)}”`}`,
  );
}

/**
 * mqtt.js leaves Nagle's algorithm on: an acknowledgement right behind a ping would wait for the broker's delayed ACK,
 * 40 ms.
 */
function sendAtOnce({ stream }: MqttClient): void {
  if (stream instanceof Socket) stream.setNoDelay(true);
}

/** Ends an attempt that gets no answer, and tells who is silent: the network, or a broker that has our CONNECT. */
function watch(client: MqttClient, { clock, connackWaitMs }: AttemptParts, fail: (error: Error) => void): CancelTimer {
  const startedAtMs = clock.monotonic();
  let cancel: CancelTimer = () => {};
  const look = (): void => {
    const waitedMs = clock.monotonic() - startedAtMs;
    if (isConnectSent(client)) fail(new ConnackTimeoutError(connackWaitMs));
    else if (waitedMs >= CONNECT_TIMEOUT_MS) fail(new ConnectTimeoutError(CONNECT_TIMEOUT_MS));
    else cancel = clock.setTimer(CONNECT_TIMEOUT_MS - waitedMs, look);
  };
  cancel = clock.setTimer(Math.min(connackWaitMs, CONNECT_TIMEOUT_MS), look);
  return () => cancel();
}

/**
 * Nothing waits in our stream: what we wrote, CONNECT, has gone to the system, which takes nothing before the
 * connection stands.
 */
function isConnectSent(client: MqttClient): boolean {
  return client.stream.writableLength === 0;
}
