import { join } from 'node:path';

import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import type { Logger } from './core/logger.ts';
import { nodeFileSystem } from './core/node-filesystem.ts';
import { BrokerMemory } from './mqtt/connection/broker-memory.ts';
import { MannersWatch } from './mqtt/trial/manners-watch.ts';
import { NamesakeWatch } from './mqtt/namesake.ts';
import { JOURNAL_FILES } from './journal/file-names.ts';
import { MqttPublisher } from './mqtt/publisher.ts';
import type { SessionManners } from './mqtt/redelivery/redelivery.ts';
import { MqttSource } from './mqtt/source.ts';
import { SparkplugHost } from './mqtt/sparkplug-host.ts';
import { probeTopicOf } from './mqtt/session/starvation.ts';
import { SubscriptionMemory } from './mqtt/session/subscription-memory.ts';
import { NoticeMemory } from './notices/notice-memory.ts';
import { Notices } from './notices/notices.ts';
import type { MqttFacts } from './ops/collect-status.ts';
import { sparkplugHostId } from './payload/sparkplug/options.ts';
import { stateTopic as hostStateTopic } from './payload/sparkplug/topic.ts';
import type { Pipeline } from './pipeline.ts';

export interface BrokerSideParts {
  readonly pipeline: Pipeline;
  /** What the health notice says; asked when it is published. */
  readonly status: () => object;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The publisher with all that speaks through it. */
interface Announcing {
  readonly publisher: MqttPublisher;
  readonly notices: Notices;
  readonly namesake: NamesakeWatch;
}

/**
 * The bridge's clients at the broker, and those who watch over them: the source hands messages to the pipeline; the
 * publisher, where notices are wanted, tells of the bridge and its backups, and hears of another bridge with the same
 * id; the host, where Sparkplug is subscribed to, says to edge nodes whether what they publish is stored.
 */
export class BrokerSide {
  readonly #config: Config;
  readonly #parts: BrokerSideParts;
  readonly #memory: BrokerMemory;
  readonly #source: MqttSource;
  readonly #manners: MannersWatch;
  readonly #announcing: Announcing | undefined;
  #host: SparkplugHost | undefined;
  /** Hosts that are no longer wanted are on their way out. */
  #formerHosts: Promise<unknown> = Promise.resolve();
  #hostId: string | undefined;
  /** Topic filters of the subscriptions of Sparkplug. */
  #hostFilters: readonly string[];

  constructor(config: Config, parts: BrokerSideParts) {
    this.#config = config;
    this.#parts = parts;
    this.#hostFilters = sparkplugFilters(config.mqtt.subscriptions);
    this.#memory = this.#createMemory();
    this.#source = this.#createSource();
    this.#manners = this.#createMannersWatch();
    this.#announcing = config.notices.enabled ? this.#createAnnouncing() : undefined;
  }

  get facts(): MqttFacts {
    const { subscriptionProblems, unacknowledged, ...facts } = this.#source.status;
    return {
      ...facts,
      unackedMessages: unacknowledged,
      subscriptionProblems: subscriptionProblems.map(({ topic, reason }) => `Subscription ${topic}: ${reason}.`),
      manners: this.#manners.problems,
      namesake: this.#announcing?.namesake.problem,
      ...(this.#announcing === undefined ? {} : { notices: this.#announcing.publisher.health }),
    };
  }

  /** Resolves when connecting has begun; the broker may still be absent. Throws when a TLS file cannot be read. */
  async start(): Promise<void> {
    this.#announcing?.namesake.start();
    await this.#announcing?.publisher.start();
    this.#announcing?.notices.start();
    await this.#source.start();
    await this.#startHost();
    this.#manners.start();
  }

  /** Publishes a command to an edge node of Sparkplug. Rejects where there is no connection for it. */
  sendCommand(topic: string, payload: Buffer): Promise<void> {
    return this.#host?.send(topic, payload) ?? Promise.reject(new Error('no subscription is of Sparkplug'));
  }

  /** Takes over other subscriptions while it runs. */
  subscribe(subscriptions: Config['mqtt']['subscriptions']): void {
    this.#source.subscribe(subscriptions);
    this.#hostFilters = sparkplugFilters(subscriptions);
    this.#manners.want(subscriptions);
    this.#useHost(sparkplugHostId(subscriptions, this.#config.bridge.id));
  }

  /** Takes no more messages; those that were taken can still be acknowledged. */
  pause(): void {
    this.#host?.pause();
    this.#source.pause();
  }

  async stop(): Promise<void> {
    await this.#manners.stop();
    await this.#host?.stop();
    await this.#formerHosts;
    await this.#source.stop();
    this.#announcing?.namesake.stop();
    await this.#announcing?.notices.stop();
    await this.#announcing?.publisher.stop();
  }

  async #startHost(): Promise<void> {
    this.#hostId = sparkplugHostId(this.#config.mqtt.subscriptions, this.#config.bridge.id);
    this.#host = this.#createHost();
    await this.#host?.start();
  }

  /** Another host id, or none, after the configuration was read again. */
  #useHost(hostId: string | undefined): void {
    if (hostId === this.#hostId) return;
    this.#hostId = hostId;
    const former = this.#host;
    this.#host = this.#createHost();
    const started = Promise.all([this.#formerHosts, former?.stop(), this.#host?.start()]);
    const { log } = this.#common('sparkplug');
    this.#formerHosts = started.catch((error: unknown) => {
      log.error('the host application of Sparkplug could not be changed', { error });
    });
  }

  #createHost(): SparkplugHost | undefined {
    if (this.#hostId === undefined) return undefined;
    const { pipeline } = this.#parts;
    return new SparkplugHost({
      ...this.#config.mqtt,
      brokerMemory: this.#memory,
      stateTopic: hostStateTopic(this.#hostId),
      isReady: () =>
        this.#hostFilters.every((topic) => this.#source.isSubscribed(topic)) && pipeline.journal.status.state === 'ok',
      ...this.#common('sparkplug'),
    });
  }

  #common(stage: string): { readonly clock: Clock; readonly log: Logger } {
    return { clock: this.#parts.clock, log: this.#parts.log.child({ stage }) };
  }

  #createMemory(): BrokerMemory {
    const { mqtt, journal } = this.#config;
    const path = join(journal.dir, JOURNAL_FILES.broker);
    return new BrokerMemory({ ...mqtt, files: nodeFileSystem, path, ...this.#common('mqtt') });
  }

  #createSource(): MqttSource {
    const { mqtt, journal, notices } = this.#config;
    const { pipeline } = this.#parts;
    const options = {
      ...mqtt,
      brokerMemory: this.#memory,
      memory: new SubscriptionMemory(nodeFileSystem, join(journal.dir, JOURNAL_FILES.subscriptions)),
      onNewSession: (connection: number): Promise<void> => pipeline.beginSession(connection),
      onManners: (manners: SessionManners): Promise<void> => pipeline.learn(manners),
      probeTopic: probeTopicOf(notices.baseTopic, mqtt.clientId),
      ...this.#common('mqtt'),
    };
    return new MqttSource(options, pipeline);
  }

  #createMannersWatch(): MannersWatch {
    const { mqtt, notices } = this.#config;
    return new MannersWatch({
      ...mqtt,
      baseTopic: notices.baseTopic,
      hasNotices: notices.enabled,
      present: () => this.#source.status,
      ...this.#common('mqtt'),
    });
  }

  #createAnnouncing(): Announcing {
    const { bridge, journal, mqtt } = this.#config;
    const { baseTopic, inlineCsvMaxBytes } = this.#config.notices;
    const common = { bridgeId: bridge.id, ...this.#common('notices') };
    const stateTopic = `${baseTopic}/state`;
    const publisher = new MqttPublisher({
      ...mqtt,
      brokerMemory: this.#memory,
      stateTopic,
      ...this.#common('notices'),
    });
    const notices = new Notices({
      publisher,
      backups: this.#parts.pipeline.backups,
      memory: new NoticeMemory(nodeFileSystem, join(journal.dir, JOURNAL_FILES.notices)),
      baseTopic,
      inlineCsvMaxBytes,
      health: () => this.#parts.status(),
      ...common,
    });
    return { publisher, notices, namesake: new NamesakeWatch({ publisher, topic: `${baseTopic}/run`, ...common }) };
  }
}

function sparkplugFilters(subscriptions: Config['mqtt']['subscriptions']): readonly string[] {
  return subscriptions.filter(({ format }) => format === 'sparkplugB').map(({ topic }) => topic);
}
