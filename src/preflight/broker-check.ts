import type { OneBrokerConfig as Config } from '../config/config.ts';
import { brokerOf } from '../core/broker-url.ts';
import type { Clock } from '../core/clock.ts';
import { coerceError, ConfigError } from '../core/errors.ts';
import { probeBroker, type BrokerFacts, type Grant } from '../mqtt/broker-probe.ts';
import { BrokerProbeError } from '../mqtt/single-attempt.ts';
import { failed, ok, unknown, warning, type Finding } from './finding.ts';

/** Topic, properties and framing of a notice beside its payload, generously. */
const NOTICE_OVERHEAD_BYTES = 1024;
const SECONDS_PER_DAY = 86_400;
/** Fewer messages under way than this slow the intake down. */
const ENOUGH_IN_FLIGHT = 100;

/** Reason codes by which a broker refuses a client id: [MQTT 3.1.1 section 3.2.2.3], [MQTT 5.0 section 3.2.2.2]. */
const CLIENT_ID_REFUSED = new Set([2, 133]);

/** What the broker says to a client with the bridge's settings. Never throws. */
export async function checkBroker(config: Config, clock: Clock, signal: AbortSignal): Promise<Finding[]> {
  try {
    const facts = await probeBroker({ ...config.mqtt, clock }, signal);
    return [
      connection(config, facts),
      ...protocol(facts),
      session(config, facts),
      ...limits(config, facts),
      ...facts.grants.map((grant) => subscription(grant, facts)),
      ...readRights(config, facts),
      keeping(config),
    ];
  } catch (thrown) {
    return [noConnection(config, thrown)];
  }
}

function noConnection({ mqtt }: Config, thrown: unknown): Finding {
  const { message } = coerceError(thrown);
  if (thrown instanceof ConfigError) return failed('TLS files', message, `correct ${thrown.path}`);
  if (!(thrown instanceof BrokerProbeError)) return failed('connection', message, 'see mqtt.url and mqtt.tls');
  if (thrown.reasonCode !== undefined && CLIENT_ID_REFUSED.has(thrown.reasonCode)) {
    return unknown(
      'connection',
      `${message}. The check uses a client id of its own, ${mqtt.clientId}-check-…, so as not to end the bridge's session`,
      `the broker may still take ${mqtt.clientId}: start the bridge and see, or let the broker take ids that begin with it`,
    );
  }
  return failed(
    'connection',
    message,
    thrown.remedy === '' ? `see mqtt.url: is it a broker that listens at ${brokerOf(mqtt.url)}?` : thrown.remedy,
  );
}

function connection({ mqtt }: Config, facts: BrokerFacts): Finding {
  const isTls = /^(?:mqtts|wss):/i.test(mqtt.url);
  const named = facts.software === '' ? '' : ` (${facts.software})`;
  const text = `connected in ${Math.round(facts.connectMs)} ms as ${facts.clientId}${named}`;
  if (isTls && !mqtt.tls.rejectUnauthorized) {
    const remedy = 'name its CA in mqtt.tls.ca and set mqtt.tls.rejectUnauthorized to true';
    return warning('connection', `${text}, and whose certificate it is was not checked`, remedy);
  }
  return ok('connection', `${text}, ${isTls ? 'over TLS' : 'not encrypted'}`);
}

function protocol({ fallback, protocolVersion }: BrokerFacts): Finding[] {
  if (fallback === undefined) return [ok('protocol', protocolVersion === 5 ? 'MQTT 5' : 'MQTT 3.1.1')];
  const how = fallback === 'refused' ? 'the broker refuses MQTT 5' : 'the broker ends the connection on MQTT 5';
  const text = `${how} and takes 3.1.1, to which the bridge falls back`;
  return [warning('protocol', text, 'set mqtt.protocolVersion to 4, which spares it the attempt')];
}

function session(
  { mqtt }: Config,
  { limits: { sessionExpirySeconds }, protocolVersion, sessionPresent }: BrokerFacts,
): Finding {
  const wanted = mqtt.sessionExpirySeconds;
  if (sessionPresent) {
    return warning(
      'session',
      'the broker says that it kept a session of a client it cannot know',
      'report it to its maker',
    );
  }
  if (protocolVersion === 4) {
    return unknown(
      'session',
      'a clean one was granted. With MQTT 3.1.1 the broker alone decides how long it keeps that of an absent bridge',
      'on mosquitto: persistent_client_expiration not set, or long enough',
    );
  }
  if (sessionExpirySeconds !== undefined && sessionExpirySeconds < wanted) {
    return warning(
      'session',
      `the broker keeps one for ${sessionExpirySeconds} s, and mqtt.sessionExpirySeconds is ${wanted}`,
      'raise the session expiry of the broker: what it drops with the session is lost',
    );
  }
  return unknown(
    'session',
    `a clean one was granted; whether the broker keeps the bridge's for ${wanted} s it tells only a client that asks`,
    `on mosquitto: persistent_client_expiration not set, or at least ${Math.ceil(wanted / SECONDS_PER_DAY)}d`,
  );
}

function limits(config: Config, facts: BrokerFacts): Finding[] {
  if (facts.protocolVersion === 4) return [];
  return [...deliveryLimits(config, facts), ...noticeLimits(config, facts), keepAlive(config, facts)];
}

function deliveryLimits({ mqtt }: Config, { limits: said, software }: BrokerFacts): Finding[] {
  const found: Finding[] = [];
  if (said.maximumQos === 0 && mqtt.subscriptions.some(({ qos }) => qos === 1)) {
    const remedy = 'let the broker do QoS 1, or set "qos": 0 and live with losses';
    found.push(failed('maximum QoS', '0: nothing is sent again, so values will be lost', remedy));
  } else {
    found.push(ok('maximum QoS', String(said.maximumQos ?? 2)));
  }
  const inFlight = said.receiveMaximum ?? 65_535;
  if (software.startsWith('mosquitto') && inFlight < Math.min(ENOUGH_IN_FLIGHT, mqtt.receiveMaximum)) {
    const text = `${inFlight}; on mosquitto so few are under way towards the bridge too, which slows it down`;
    const remedy = `on mosquitto: max_inflight_messages ${mqtt.receiveMaximum}`;
    found.push(warning('receive maximum', text, remedy));
  } else {
    found.push(ok('receive maximum', `${inFlight} towards the broker; the bridge asks for ${mqtt.receiveMaximum}`));
  }
  const topics = mqtt.subscriptions.map(({ topic }) => topic);
  if (said.wildcardsAvailable === false && topics.some((topic) => /[+#]/.test(topic))) {
    found.push(
      failed('wildcards', 'the broker takes no + and #', 'allow them, or name each topic in mqtt.subscriptions'),
    );
  }
  if (said.sharedAvailable === false && topics.some((topic) => topic.startsWith('$share/'))) {
    found.push(failed('shared subscriptions', 'the broker takes none', 'allow them, or subscribe without $share'));
  }
  return found;
}

function noticeLimits({ notices }: Config, { limits: said }: BrokerFacts): Finding[] {
  const found: Finding[] = [];
  if (said.retainAvailable !== false) found.push(ok('retained messages', 'available'));
  else if (!notices.enabled) found.push(ok('retained messages', 'not available, and not needed'));
  else {
    const remedy = 'let the broker keep retained messages, or set notices.enabled to false';
    found.push(failed('retained messages', 'not available: the notices of the bridge need them', remedy));
  }
  const needed = notices.inlineCsvMaxBytes + NOTICE_OVERHEAD_BYTES;
  const { maximumPacketBytes } = said;
  if (notices.enabled && maximumPacketBytes !== undefined && maximumPacketBytes < needed) {
    const text = `${maximumPacketBytes} bytes, too small for notices with a CSV of ${notices.inlineCsvMaxBytes} bytes`;
    const remedy = `raise it (on mosquitto: max_packet_size), or set notices.inlineCsvMaxBytes to ${Math.max(0, maximumPacketBytes - NOTICE_OVERHEAD_BYTES)}`;
    found.push(warning('maximum packet size', text, remedy));
  } else {
    const text = maximumPacketBytes === undefined ? 'no limit' : `${maximumPacketBytes} bytes`;
    found.push(ok('maximum packet size', text));
  }
  return found;
}

function keepAlive({ mqtt }: Config, { limits: { serverKeepAliveSeconds } }: BrokerFacts): Finding {
  if (serverKeepAliveSeconds === undefined) return ok('keep alive', `${mqtt.keepaliveSeconds} s, as asked for`);
  return ok('keep alive', `${serverKeepAliveSeconds} s, as the broker wants it`);
}

function subscription({ code, qos, reason, topic }: Grant, { protocolVersion }: BrokerFacts): Finding {
  const subject = `subscription ${topic}`;
  if (code === qos) return ok(subject, `granted at QoS ${code}`);
  if (code !== undefined && code < 0x80) {
    const text = `granted at QoS ${code} instead of ${qos}: what is lost on the way is not sent again`;
    return failed(subject, text, `let the broker grant QoS ${qos} to this user`);
  }
  const rule = withoutGroup(topic);
  const remedies = [
    `allow this user to subscribe to ${rule} in the access rules of the broker (mosquitto's dynamic security: subscribePattern)`,
  ];
  if (protocolVersion === 4) remedies.push('MQTT 3.1.1 gives no reason; the log of the broker may');
  return failed(subject, `not granted: ${reason}`, ...remedies);
}

function readRights({ mqtt }: Config, { grants, software }: BrokerFacts): Finding[] {
  const isOther = software !== '' && !software.startsWith('mosquitto');
  if (isOther || !grants.some(({ code, qos }) => code === qos)) return [];
  return [
    unknown(
      'right to read',
      'mosquitto with an acl_file grants every subscription, and withholds the messages without a word',
      `if it has one, it must say for this user: ${mqtt.subscriptions.map(({ topic }) => `topic read ${withoutGroup(topic)}`).join('; ')}`,
    ),
  ];
}

/** The filter of a shared subscription. */
function withoutGroup(topic: string): string {
  return topic.replace(/^\$share\/[^/]+\//, '');
}

/** Neither CONNACK nor $SYS says what a broker keeps for a client that is away. */
function keeping({ mqtt }: Config): Finding {
  return unknown(
    'queue for an absent bridge',
    'how many messages the broker keeps, and whether over its own restart, it tells nobody; by default mosquitto keeps 1,000 and drops the rest',
    `on mosquitto: persistence true, max_queued_messages 0, max_inflight_messages ${mqtt.receiveMaximum}`,
  );
}
