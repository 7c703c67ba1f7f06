import type { IConnackPacket, IDisconnectPacket, IPublishPacket, MqttClient } from 'mqtt';

import { sleep, type CancelTimer } from '../../core/clock.ts';
import { reasonCodeOf, reasonText } from '../connection/reason-codes.ts';
import { BrokerProbeError, open } from './open.ts';
import { publish, subscribe, unsubscribe } from '../connection/requests.ts';
import { clientOptions, type TrialClientOptions, type TrialWay } from './trial-options.ts';

/** A PUBLISH as it came. */
export interface Arrival {
  readonly topic: string;
  readonly text: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  /** Undefined at QoS 0. */
  readonly packetId: number | undefined;
}

const ANSWER_TIMEOUT_MS = 5000;
const CLOSE_TIMEOUT_MS = 2000;
const PUBACK = 0x4002;
/** Never shown: any error makes mqtt.js leave out the answer. */
const WITHHELD = new Error('not answered');

/**
 * A client that lives for one trial, with what it received and power over its acknowledgements.
 *
 * mqtt.js leaves out PUBACK and PUBCOMP when `handleMessage` calls back an error, and sends PUBREC when its
 * `incomingStore` has taken the message; a store that never calls back withholds it, and with it everything behind it
 * on the connection.
 */
export class TrialClient {
  /** Every PUBLISH so far, in the order of arrival. */
  readonly arrivals: Arrival[] = [];
  /** Packet ids of the PUBRELs that came. */
  readonly released: number[] = [];
  readonly #way: TrialWay;
  readonly #client: MqttClient;
  readonly #connack: IConnackPacket;
  #pingResponses = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(way: TrialWay, client: MqttClient, connack: IConnackPacket) {
    this.#way = way;
    this.#client = client;
    this.#connack = connack;
    client.on('close', () => this.#wake());
  }

  /** Throws BrokerProbeError. */
  static async open(way: TrialWay, options: TrialClientOptions): Promise<TrialClient> {
    const early: { cmd: string; packet: IPublishPacket | { readonly messageId?: number | undefined } }[] = [];
    let take: (cmd: string, packet: IPublishPacket | { readonly messageId?: number | undefined }) => void = (
      cmd,
      packet,
    ) => void early.push({ cmd, packet });
    // What a broker kept for the session comes right behind CONNACK, before 'connect' is heard of here.
    const prepare = (client: MqttClient): void => {
      client.on('packetreceive', (packet) => take(packet.cmd, packet));
      if (options.answers === 'withheld' || options.answers === 'rec') {
        client.handleMessage = (_packet, done): void => done(WITHHELD);
      }
    };
    const { client, connack } = await open({ ...way, options: clientOptions(way, options), prepare });
    const trial = new TrialClient(way, client, connack);
    take = (cmd, packet): void => trial.#take(cmd, packet);
    for (const { cmd, packet } of early) trial.#take(cmd, packet);
    return trial;
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  /** What did not come may only count once the connection is known to stand. Throws BrokerProbeError. */
  demandConnection(): void {
    if (!this.connected) throw new BrokerProbeError('the connection was lost during the trial');
  }

  get sessionPresent(): boolean {
    return this.#connack.sessionPresent;
  }

  /** What MQTT 5 says of the session's end, where it is not as asked for. */
  get sessionExpirySeconds(): number | undefined {
    return this.#connack.properties?.sessionExpiryInterval;
  }

  /** The reason code of SUBACK; undefined when none came. */
  subscribe(topic: string, qos: 0 | 1 | 2): Promise<number | undefined> {
    const asked = subscribe(this.#client, [{ topic, qos }], 'always').then((granted) => granted.get(topic)?.code);
    return this.#answer(asked);
  }

  async unsubscribe(topic: string): Promise<void> {
    await this.#answer(unsubscribe(this.#client, [topic]));
  }

  /** Resolves with an empty text when the broker has taken it, or else with what it said. */
  async publish(topic: string, text: string, options: { qos?: 1 | 2; retain?: boolean } = {}): Promise<string> {
    const published = publish(this.#client, topic, text, { qos: options.qos ?? 1, retain: options.retain ?? false });
    const said = published.then(
      () => '',
      (error: Error) => (reasonCodeOf(error) === undefined ? error.message : reasonText(reasonCodeOf(error)!)),
    );
    const answer = await this.#answer(said);
    return answer ?? (this.connected ? 'no answer' : 'the broker ended the connection');
  }

  /** Writes a PUBACK for each that has a packet id. */
  acknowledge(arrivals: readonly Arrival[]): void {
    const ids = arrivals.flatMap(({ packetId }) => (packetId === undefined ? [] : [packetId]));
    const bytes = Buffer.alloc(ids.length * 4);
    for (const [i, id] of ids.entries()) {
      bytes.writeUInt16BE(PUBACK, i * 4);
      bytes.writeUInt16BE(id, i * 4 + 2);
    }
    if (this.#client.stream.writable && bytes.length > 0) this.#client.stream.write(bytes);
  }

  /** Resolves when the broker has read all that was sent before: MQTT answers in order. False when no answer came. */
  ping(): Promise<boolean> {
    const wanted = this.#pingResponses + 1;
    if (this.connected) this.#client.sendPing();
    return this.until(() => this.#pingResponses >= wanted, ANSWER_TIMEOUT_MS);
  }

  /** Waits for a condition on what arrived, as long as there is a connection. Resolves with whether it holds. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const { clock, signal } = this.#way;
    const giveUpAt = clock.monotonic() + timeoutMs;
    while (!condition() && this.connected && !signal.aborted && clock.monotonic() < giveUpAt) {
      await this.#next(giveUpAt - clock.monotonic());
    }
    return condition();
  }

  /** Waits until nothing has arrived for `quietMs`, `timeoutMs` at most. */
  async quiet(quietMs: number, timeoutMs: number): Promise<void> {
    const giveUpAt = this.#way.clock.monotonic() + timeoutMs;
    for (let count = -1; count !== this.arrivals.length && this.#way.clock.monotonic() < giveUpAt;) {
      count = this.arrivals.length;
      const seen = count;
      await this.until(() => this.arrivals.length !== seen, quietMs);
    }
  }

  /** Ends the connection without a DISCONNECT, as a cable does that is pulled. */
  cut(): void {
    this.#client.stream.destroy();
  }

  /** Ends the connection in order; the session stays. */
  leave(): Promise<void> {
    return this.#disconnect({});
  }

  /** Ends the connection, and with MQTT 5 the session; in 3.1.1 that ends where CONNECT did not ask for a kept one. */
  end(): Promise<void> {
    return this.#disconnect(this.#way.protocolVersion === 5 ? { properties: { sessionExpiryInterval: 0 } } : {});
  }

  async #disconnect(options: Partial<IDisconnectPacket>): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#client.end(false, options, () => resolve());
    });
    const over = new AbortController();
    await Promise.race([ended, sleep(this.#way.clock, CLOSE_TIMEOUT_MS, over.signal)]);
    over.abort();
    this.#client.stream.destroy();
  }

  #take(cmd: string, packet: IPublishPacket | { readonly messageId?: number | undefined }): void {
    if (cmd === 'publish' && 'topic' in packet) {
      const { dup, messageId, payload, qos, retain, topic } = packet;
      this.arrivals.push({ topic, text: payload.toString(), qos, retain, dup, packetId: messageId });
    } else if (cmd === 'pubrel') {
      this.released.push(packet.messageId ?? 0);
    } else if (cmd === 'pingresp') {
      this.#pingResponses += 1;
    }
    this.#wake();
  }

  /** Resolves with the next packet, the end of the connection (an abort cuts it), or the time. */
  async #next(timeoutMs: number): Promise<void> {
    let cancel: CancelTimer = () => {};
    let wake = (): void => {};
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
      cancel = this.#way.clock.setTimer(timeoutMs, resolve);
    });
    cancel();
    this.#waiting.delete(wake);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Undefined when there is no connection, when it ends, and when nothing is said for 5 s. */
  async #answer<T>(asked: Promise<T>): Promise<T | undefined> {
    let answer: { readonly value: T | undefined } | undefined;
    const answered = (value: T | undefined): void => {
      answer = { value };
      this.#wake();
    };
    asked.then(answered, () => answered(undefined));
    await this.until(() => answer !== undefined, ANSWER_TIMEOUT_MS);
    return answer?.value;
  }
}

const END_SESSION_MS = 2000;

/**
 * Ends a session that was to outlive its connections, by a last one that does not keep it. For 2 s at most, also after
 * an interruption; never throws: from a broker that can't be reached MQTT 5 lets it go after the time that it was asked
 * for.
 */
export async function endSession(way: TrialWay, clientId: string): Promise<void> {
  const over = new AbortController();
  const cancel = way.clock.setTimer(END_SESSION_MS, () => over.abort());
  try {
    const last = await TrialClient.open({ ...way, signal: over.signal }, { clientId });
    await last.end();
  } catch {
    // There is nobody to tell it to.
  } finally {
    cancel();
  }
}
