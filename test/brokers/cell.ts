import { join } from 'node:path';

import type { Status } from '../../src/ops/status.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { BareClient } from './bare-client.ts';
import { BridgeMember } from './bridge-member.ts';
import type { Protocol, RunningBroker } from './broker.ts';
import { DeliveryLedger } from './delivery-ledger.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { payloadsOf, type PayloadKind, type Payloads } from './payloads.ts';
import { Publisher } from './publisher.ts';
import { judge, type Verdict } from './verdict.ts';

export interface CellOptions {
  readonly broker: RunningBroker;
  readonly protocol: Protocol;
  readonly payloads: PayloadKind;
  /** Stands in topics and client ids: no two cells on one broker have the same. */
  readonly root: string;
  /** For the bridges' files; must not exist yet. */
  readonly directory: string;
  /** Messages of the long form that the counts of the cases are given for, as a share: 1 is the long form. */
  readonly scale: number;
  readonly qos: 1 | 2;
  /** What the subscription is behind, such as `$share/plant/`. */
  readonly prefix: string;
  /** Laid over `mqtt` of the bridges. */
  readonly mqtt: Readonly<Record<string, unknown>>;
}

/** What the judge waits for: that nothing has changed for so long. */
interface Patience {
  readonly allThereMs: number;
  readonly someMissingMs: number;
}

const PATIENCE: Patience = { allThereMs: 6000, someMissingMs: 45_000 };
const SHORT_PATIENCE: Patience = { allThereMs: 2500, someMissingMs: 20_000 };
/** So that some seconds are left for the disturbances. */
const SHORT_RATE_DIVISOR = 3;
const SETTLE_TIMEOUT_MS = 600_000;
/** A bridge that holds something back for ever is judged as well, in the end. */
const UNSETTLED_FACTOR = 3;
const RECONNECT_TIMEOUT_MS = 30_000;
const ASK_EVERY_MS = 100;

export interface CellCounts extends Verdict {
  readonly duplicate: number;
  readonly maybeRepeated: number;
  /** Connections of all bridges after their first one. */
  readonly reconnects: number;
  /** What the bridges' status says is wrong, in the end. */
  readonly problems: readonly string[];
}

interface Member {
  readonly bridge: BridgeMember;
  readonly proxy: FaultProxy;
}

/**
 * One square of the matrix: a publisher, the broker, one bridge or more behind a proxy each, and a database of their
 * own.
 */
export class Cell {
  readonly options: CellOptions;
  readonly broker: RunningBroker;
  readonly payloads: Payloads;
  readonly ledger: DeliveryLedger;
  readonly publisher: Publisher;
  readonly standin: Standin;
  readonly members: readonly Member[];

  private constructor(options: CellOptions, standin: Standin, members: readonly Member[]) {
    this.options = options;
    this.broker = options.broker;
    this.payloads = payloadsOf(options.payloads, options.root);
    this.ledger = new DeliveryLedger(`${options.root}/`);
    this.standin = standin;
    this.members = members;
    this.publisher = new Publisher(options.broker.port, `${options.root}-publisher`, this.payloads, options.qos);
  }

  /** Starts everything but the bridges. */
  static async open(options: CellOptions, bridges: number): Promise<Cell> {
    const standin = await startStandin({ log: () => {} });
    await createTables(standin);
    const members: Member[] = [];
    const cell = new Cell(options, standin, members);
    for (let i = 0; i < bridges; i += 1) {
      const proxy = await startFaultProxy(options.broker.port, cell.ledger);
      const id = `${options.root}-bridge-${i}`;
      const directory = join(options.directory, id);
      const topic = `${options.prefix}${cell.payloads.subscription}`;
      const subscriptions = [{ topic, qos: options.qos, ...cell.payloads.reading }];
      const mqtt = { ...options.mqtt, subscriptions };
      const bridge = new BridgeMember({ id, directory, url: proxy.url, protocol: options.protocol, standin, mqtt });
      members.push({ bridge, proxy });
    }
    return cell;
  }

  /** The first or only one: the one that comes to harm. */
  get member(): Member {
    return this.members[0]!;
  }

  get bridge(): BridgeMember {
    return this.member.bridge;
  }

  get proxy(): FaultProxy {
    return this.member.proxy;
  }

  get isShort(): boolean {
    return this.options.scale < 1;
  }

  /** A number of messages of the long form, scaled; a whole one, from 20. */
  scaled(messages: number): number {
    return Math.max(20, Math.round(messages * this.options.scale));
  }

  /** How often in this form: all the times, or twice. */
  times(inLongForm: number): number {
    return this.isShort ? Math.min(inLongForm, 2) : inLongForm;
  }

  /**
   * Publishes so many messages of the long form, in the short one at a lower rate, and, evenly spread over them, does
   * `disturb` so many times.
   */
  async during(
    messages: number,
    perSecond: number,
    times: number,
    disturb: (i: number) => Promise<void>,
  ): Promise<void> {
    const count = this.scaled(messages);
    const before = this.publisher.published;
    const disturbing = async (): Promise<void> => {
      for (let i = 1; i <= times; i += 1) {
        const due = before + (count * i) / (times + 1);
        await until('the publisher', () => this.publisher.published >= due, SETTLE_TIMEOUT_MS);
        await disturb(i - 1);
      }
    };
    const rate = this.isShort ? perSecond / SHORT_RATE_DIVISOR : perSecond;
    await Promise.all([this.publisher.publish(count, rate), disturbing()]);
  }

  /** Resolves when it is connected again, so that the next blow hits a connection. */
  async killAndRestart({ bridge, proxy }: Member): Promise<void> {
    const { connections } = proxy;
    await bridge.kill();
    await bridge.start();
    // Some brokers do not answer CONNECT any more after that: the count of rows will tell.
    await until('the bridge to connect again', () => proxy.connections > connections, RECONNECT_TIMEOUT_MS).catch(
      () => {},
    );
  }

  /** Resolves when it has connected again. */
  async resetConnection({ proxy }: Member): Promise<void> {
    const { connections } = proxy;
    proxy.reset();
    await until('the bridge to connect again', () => proxy.connections > connections, RECONNECT_TIMEOUT_MS).catch(
      () => {},
    );
  }

  /** Waits until nothing changes any more, and counts. */
  async judge(): Promise<CellCounts> {
    const statuses = await this.#settle();
    const verdict = judge(this.publisher, await readRows(this.standin), this.payloads, this.ledger, this.broker.broker);
    const sum = (name: string): number =>
      statuses.reduce((total, { counters }) => total + ((counters as unknown as Record<string, number>)[name] ?? 0), 0);
    return {
      ...verdict,
      duplicate: sum('messagesDuplicate'),
      maybeRepeated: sum('messagesMaybeRepeated'),
      reconnects: this.members.reduce((total, { proxy }) => total + proxy.connections, 0) - this.members.length,
      problems: statuses.flatMap(({ problems }) => problems),
    };
  }

  /** Ends everything and has the broker forget the sessions. */
  async close(): Promise<void> {
    const { protocol, root } = this.options;
    await this.publisher.stop();
    for (const { bridge, proxy } of this.members) {
      await bridge.kill();
      await proxy.stop();
      await this.forget(bridge.id, protocol);
    }
    await this.forget(`${root}-witness`, 4);
    this.standin.stop();
  }

  /** A clean session takes the place of the one that was kept. */
  async forget(clientId: string, protocol: Protocol): Promise<void> {
    try {
      const client = await BareClient.connect({ port: this.broker.port, protocol, clientId });
      await client.disconnect();
    } catch {
      // a broker that does not answer any more forgets when its data is removed
    }
  }

  async #settle(): Promise<Status[]> {
    const { allThereMs, someMissingMs } = this.isShort ? SHORT_PATIENCE : PATIENCE;
    let last = '';
    let lastChangeMs = performance.now();
    return until(
      'all to be settled',
      async () => {
        const statuses = (await Promise.all(this.members.map(({ bridge }) => bridge.status()))).filter(
          (status) => status !== undefined,
        );
        const rows = await countRows(this.standin);
        const now = JSON.stringify([rows, statuses.map(({ counters }) => counters)]);
        if (now !== last) lastChangeMs = performance.now();
        last = now;
        const isQuiet = statuses.length === this.members.length && statuses.every(isSettled);
        const patienceMs = rows >= this.publisher.owed.size ? allThereMs : someMissingMs;
        const quietMs = performance.now() - lastChangeMs;
        return quietMs > (isQuiet ? patienceMs : UNSETTLED_FACTOR * patienceMs) ? statuses : undefined;
      },
      SETTLE_TIMEOUT_MS,
      ASK_EVERY_MS,
    );
  }
}

function isSettled({ journal, backups, audit, mqtt }: Status): boolean {
  return journal.messages === 0 && backups.pendingFiles === 0 && audit.pending === 0 && mqtt.unackedMessages === 0;
}
