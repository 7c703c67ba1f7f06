import type { SessionManners } from '../redelivery/redelivery.ts';

/** Manners by which brokers differ; `?` is not found out. */
export interface Traits {
  readonly window: string;
  readonly ids: string;
  readonly again: string;
  readonly dot: string;
  readonly plusWithDot: string;
  readonly retainFlag: string;
}

/**
 * The brokers whose settings are known, and how they are told apart: by what they call themselves in `$SYS`, or by
 * manners that only they have. Where a broker is none of these, the advice names no file and no key.
 *
 * The keys are those of the broker's own documentation:
 * - mosquitto 2.0: mosquitto.conf(5)
 * - HiveMQ CE 2025.5: config.xsd; the window of 50 is InternalConfigurations.MAX_INFLIGHT_WINDOW_SIZE_MESSAGES
 * - EMQX 5: docs.emqx.com, “MQTT Configuration” and “MQTT Durable Sessions”
 * - RabbitMQ 3.10 and 4: rabbitmq_mqtt.schema, and www.rabbitmq.com/docs/mqtt; `mqtt.subscription_ttl`, in
 *   milliseconds, before 3.13
 * - Artemis 2.40: user manual, “MQTT”, “Address Settings”, “Persistence”, “Wildcard Syntax” (tried: dots are right with
 *   it)
 * - NanoMQ 0.19: nanomq.conf and nanomq.io, “MQTT Messaging”; it calls `max_inflight_window` not supported
 * - VerneMQ 1 and 2: vmq_server.schema, and docs.vernemq.com, “MQTT Options”
 * - Moquette 0.17: moquette.conf and IConfig; mochi 2.7: mqtt.Capabilities; aedes 1: its README
 */
export interface BrokerKind {
  readonly name: string;
  /** The file that its settings are in; empty: the program that it is built into. */
  readonly file: string;
  /** What it calls itself in $SYS; a pattern. */
  readonly says: RegExp;
  /** What only it does. */
  readonly looks: Partial<Traits> | undefined;
  /** It takes any session expiry of MQTT 5 without a word, and keeps the session as its own settings say. */
  readonly hidesExpiry: boolean;
  readonly settings: Readonly<Record<SettingName, string>>;
  /** What is known of its sessions without seeing it; absent: to be seen. */
  readonly manners?: SessionManners;
  /** What makes `+` stand for a level with a dot; absent where it does, or where nothing does. */
  readonly dots?: string;
}

/**
 * What a broker's settings decide: how many messages wait for an absent bridge, how long the session lasts, how many
 * messages are under way at once, what outlives a restart of the broker, and how large a message may be.
 */
export const SETTING_NAMES = ['queue', 'session', 'window', 'persistence', 'packet'] as const;
export type SettingName = (typeof SETTING_NAMES)[number];

/** `{days}`, `{seconds}`, `{millis}`, `{window}` and `{bytes}` stand for what the bridge's configuration asks for. */
export const BROKER_KINDS: readonly BrokerKind[] = [
  {
    name: 'mosquitto',
    file: 'mosquitto.conf',
    says: /^mosquitto/i,
    looks: undefined,
    hidesExpiry: true,
    // mosquitto__mid_generate counts up for each session, and its database keeps the last one; a message that is sent
    // again bears DUP.
    manners: { idsCountOn: true, setsDuplicate: true, keepsIds: true },
    settings: {
      queue: 'max_queued_messages 0 (by default it keeps 1,000 and drops the rest), bounded by max_queued_bytes',
      session: 'persistent_client_expiration not set, or at least {days}d',
      window: 'max_inflight_messages {window}',
      persistence: 'persistence true',
      packet: 'max_packet_size not set, or at least {bytes}',
    },
  },
  {
    name: 'HiveMQ',
    file: 'config.xml',
    says: /hivemq/i,
    looks: { window: '50', ids: 'reused' },
    hidesExpiry: false,
    settings: {
      queue:
        '<mqtt><queued-messages><max-queue-size> of as many as come while the bridge may be away (by default 1,000, also for a client that is there; the new ones are dropped)',
      session: '<mqtt><session-expiry><max-interval> of at least {seconds}',
      window: 'nothing to set: HiveMQ CE has 50 messages under way at most',
      persistence: '<persistence><mode>file</mode>',
      packet: '<mqtt><packets><max-packet-size> of at least {bytes}',
    },
  },
  {
    name: 'EMQX',
    file: 'base.hocon or emqx.conf',
    says: /emqx/i,
    looks: undefined,
    hidesExpiry: false,
    settings: {
      queue: 'mqtt.max_mqueue_len = infinity (by default it keeps 1,000 and drops the oldest)',
      session:
        'mqtt.session_expiry_interval = {seconds}s, which holds for MQTT 3.1.1 (by default 2 h); MQTT 5 brings its own',
      window: 'mqtt.max_inflight = {window} (by default 32)',
      persistence: 'durable_sessions.enable = true: without it sessions are in memory',
      packet: 'mqtt.max_packet_size of at least {bytes} bytes (by default 1MB)',
    },
  },
  {
    name: 'RabbitMQ',
    file: 'rabbitmq.conf',
    says: /rabbitmq/i,
    looks: { dot: 'changed', plusWithDot: 'no' },
    hidesExpiry: false,
    settings: {
      queue: 'no policy with max-length on the queues mqtt-subscription-*; by default they have no limit',
      session:
        'mqtt.max_session_expiry_interval_seconds = {seconds}, before RabbitMQ 3.13 mqtt.subscription_ttl = {millis} (by default a day)',
      window: 'mqtt.prefetch = {window} (by default 10)',
      persistence:
        'the queues of kept sessions are durable; in a cluster mqtt.durable_queue_type = quorum keeps them over the loss of a node',
      packet: 'max_message_size of at least {bytes}; from 3.13 on also mqtt.max_packet_size_authenticated',
    },
  },
  {
    name: 'ActiveMQ Artemis',
    file: 'broker.xml',
    says: /artemis/i,
    looks: { ids: 'counting', again: 'new ids, not flagged' },
    hidesExpiry: false,
    settings: {
      queue: '<address-setting> with <address-full-policy>PAGE</address-full-policy>, not DROP',
      session:
        'defaultMqttSessionExpiryInterval of the MQTT acceptor -1 or at least {seconds}, which holds for MQTT 3.1.1; MQTT 5 brings its own',
      window: 'nothing to set: with MQTT 5 it is mqtt.receiveMaximum of the bridge, with 3.1.1 there is no limit',
      persistence: '<persistence-enabled>true</persistence-enabled>',
      packet: 'maximumPacketSize of the MQTT acceptor of at least {bytes}',
    },
    dots: '<wildcard-addresses><delimiter>/</delimiter><any-words>#</any-words><single-word>+</single-word></wildcard-addresses> in <core>',
  },
  {
    name: 'NanoMQ',
    file: 'nanomq.conf',
    says: /nanomq/i,
    looks: undefined,
    hidesExpiry: false,
    settings: {
      queue: 'mqtt.max_mqueue_len (by default 2048)',
      session: 'nothing to set: the session lasts as long as the bridge asks for',
      window: 'mqtt.max_mqueue_len of at least {window}',
      persistence: 'sqlite { … }: without it sessions are in memory',
      packet: 'mqtt.max_packet_size of at least {bytes} bytes',
    },
  },
  {
    name: 'VerneMQ',
    file: 'vernemq.conf',
    says: /vernemq/i,
    looks: undefined,
    hidesExpiry: false,
    settings: {
      queue: 'max_offline_messages = -1 and max_online_messages = -1 (by default it keeps 1,000 and drops the rest)',
      session: 'persistent_client_expiration = never, or at least {days}d',
      window: 'max_inflight_messages = {window} (by default 20)',
      persistence: 'the message store keeps QoS 1 and 2 on disk; it needs a data directory that stays',
      packet: 'max_message_size 0, or at least {bytes}',
    },
  },
  {
    name: 'Moquette',
    file: 'moquette.conf',
    says: /moquette/i,
    looks: { window: '10', retainFlag: 'no' },
    hidesExpiry: false,
    settings: {
      queue: 'nothing to set: the queue of a kept session has no limit',
      session: 'persistent_client_expiration not set, or at least {days}d',
      window: 'nothing to set: it has 10 messages under way at most',
      persistence:
        'persistence_enabled true and data_path (0.17 lost sessions at an ordinary restart all the same: try it)',
      packet: 'netty.mqtt.message_size of at least {bytes} (by default 8092)',
    },
  },
  {
    name: 'aedes',
    file: '',
    says: /aedes/i,
    looks: { again: 'same ids, not flagged', ids: 'restarting' },
    hidesExpiry: false,
    settings: {
      queue: 'the option persistence of the broker: in memory it is limited by the memory of the process',
      session: 'nothing to set: a kept session lasts as long as its persistence',
      window: 'nothing to set: there is no limit',
      persistence: 'the option persistence: aedes-persistence-redis, -mongodb or -level',
      packet: 'nothing to set: there is no limit',
    },
  },
  {
    name: 'mochi',
    file: 'the options of the server',
    // The number alone, without a name.
    says: /^2\.\d+\.\d+$/,
    looks: undefined,
    hidesExpiry: false,
    settings: {
      queue:
        'capabilities.maximum_client_writes_pending and maximum_inflight (by default 8,192 each; the rest is dropped)',
      session: 'capabilities.maximum_session_expiry_interval of at least {seconds}',
      window: 'capabilities.receive_maximum of at least {window}',
      persistence: 'a storage hook: bolt, badger, pebble or redis',
      packet: 'capabilities.maximum_packet_size 0, or at least {bytes}',
    },
  },
];

/** What to see to where the broker is none of those. */
export const NEUTRAL_SETTINGS: Readonly<Record<SettingName, string>> = {
  queue: 'let it keep as many messages for a client that is away as come while the bridge may be away',
  session: 'let it keep the session of a client that is away for at least {days} days',
  window: 'let {window} messages be under way to a client without an acknowledgement',
  persistence: 'let it keep sessions and their messages on disk, over its own restart',
  packet: 'let it take messages of {bytes} bytes',
};
