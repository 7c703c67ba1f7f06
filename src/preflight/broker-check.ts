import type { OneBrokerConfig as Config } from '../config/config.ts';
import { brokerOf, isTlsUrl } from '../core/broker-url.ts';
import type { Clock } from '../core/clock.ts';
import { coerceError, ConfigError } from '../core/errors.ts';
import { filtersOverlap, isShared, withoutGroup } from '../core/topic-filter.ts';
import { probeBroker, type BrokerFacts, type Grant } from '../mqtt/trial/broker-probe.ts';
import type { BrokerKind } from '../mqtt/brokers/broker-kinds.ts';
import { kindNamed, recognise, settingOf, traitsOf } from '../mqtt/brokers/broker-recognition.ts';
import { tryBroker } from '../mqtt/trial/broker-trial.ts';
import { BrokerProbeError } from '../mqtt/trial/open.ts';
import { subscribeRemedy } from '../mqtt/connection/remedies.ts';
import { failed, ok, unknown, warning, type Finding } from './finding.ts';
import { checkManners, NOTICE_OVERHEAD_BYTES, unseen, wantedOf } from './manners-check.ts';
import { verdict } from './verdict.ts';

/** Reason codes by which a broker refuses a client id: [MQTT 3.1.1 section 3.2.2.3], [MQTT 5.0 section 3.2.2.2]. */
const CLIENT_ID_REFUSED = new Set([2, 133]);

/** What the broker says to a client with the bridge's settings, and what it does. Never throws. */
export async function checkBroker(config: Config, clock: Clock, signal: AbortSignal): Promise<Finding[]> {
  try {
    const facts = await probeBroker({ ...config.mqtt, clock }, signal);
    const said = [
      connection(config, facts),
      ...protocol(facts),
      ...strangeSession(facts),
      ...limits(config, facts),
      ...facts.grants.map((grant) => subscription(grant, facts)),
    ];
    return [...said, ...(await trial(config, facts, clock, signal))];
  } catch (thrown) {
    return [noConnection(config, thrown)];
  }
}

async function trial(config: Config, facts: BrokerFacts, clock: Clock, signal: AbortSignal): Promise<Finding[]> {
  const { mqtt, notices } = config;
  const { limits: said, protocolVersion, software } = facts;
  const named = kindNamed(software);
  const overheard = mqtt.subscriptions.find(({ topic }) => filtersOverlap(topic, `${notices.baseTopic}/probe/#`));
  if (overheard !== undefined) {
    const text = `not made: a running bridge would take its messages for values, as ${overheard.topic} covers ${notices.baseTopic}/probe/#`;
    const remedy = 'set notices.baseTopic to topics that no subscription covers, and check again';
    return [unknown('trial', text, remedy), ...unseen(config, named), ...readRights(config, facts, named)];
  }
  try {
    const asked = {
      publishAtOnce: said.receiveMaximum ?? 65_535,
      largeBytes: largeBytes(config, facts),
      retains: said.retainAvailable !== false,
    };
    const { baseTopic } = notices;
    const manners = await tryBroker({ ...mqtt, ...asked, protocolVersion, baseTopic, clock }, signal);
    const { kind, isGuess } = recognise(software, traitsOf(manners));
    const tried = { config, manners, kind, protocolVersion, retains: asked.retains };
    const looks = kind !== undefined && isGuess ? [ok('broker', `looks like ${kind.name}, by what it does`)] : [];
    const inAll = verdict(tried);
    return [
      ...looks,
      ...readRights(config, facts, kind),
      ...checkManners(tried),
      ...(inAll === undefined ? [] : [inAll]),
    ];
  } catch (thrown) {
    const text = `not made: ${coerceError(thrown).message}`;
    const remedy = 'let the broker take several clients of this user at a time, and check again';
    return [unknown('trial', text, remedy), ...unseen(config, named), ...readRights(config, facts, named)];
  }
}

/** 0 where no CSV is published, and where the broker has said already that it takes none. */
function largeBytes({ notices }: Config, { limits: { maximumPacketBytes } }: BrokerFacts): number {
  const bytes = notices.inlineCsvMaxBytes;
  const isTooLarge = maximumPacketBytes !== undefined && maximumPacketBytes < bytes + NOTICE_OVERHEAD_BYTES;
  return notices.enabled && !isTooLarge ? bytes : 0;
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
  const isTls = isTlsUrl(mqtt.url);
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
  const how = FALLBACKS[fallback];
  const text = `${how} and takes 3.1.1, to which the bridge falls back`;
  return [warning('protocol', text, 'set mqtt.protocolVersion to 4, which spares it the attempt')];
}

function strangeSession({ clientId, sessionPresent }: BrokerFacts): Finding[] {
  if (!sessionPresent) return [];
  const text = `the broker says that it kept a session of ${clientId}, which it cannot know`;
  return [warning('session of the check', text, 'report it to its maker')];
}

const FALLBACKS = {
  refused: 'the broker refuses MQTT 5',
  closed: 'the broker ends the connection on MQTT 5',
  mute: 'the broker does not answer MQTT 5',
} as const;

function limits(config: Config, facts: BrokerFacts): Finding[] {
  if (facts.protocolVersion === 4) return [];
  return [...deliveryLimits(config, facts), ...noticeLimits(config, facts), keepAlive(config, facts)];
}

function deliveryLimits({ mqtt }: Config, { limits: said }: BrokerFacts): Finding[] {
  const found: Finding[] = [];
  if (said.maximumQos === 0 && mqtt.subscriptions.some(({ qos }) => qos !== 0)) {
    const remedy = 'let the broker do QoS 1, or set "qos": 0 and live with losses';
    found.push(failed('maximum QoS', '0: nothing is sent again, so values will be lost', remedy));
  } else {
    found.push(ok('maximum QoS', String(said.maximumQos ?? 2)));
  }
  const inFlight = said.receiveMaximum ?? 65_535;
  found.push(ok('receive maximum', `${inFlight} towards the broker; the bridge asks for ${mqtt.receiveMaximum}`));
  const topics = mqtt.subscriptions.map(({ topic }) => topic);
  if (said.wildcardsAvailable === false && topics.some((topic) => /[+#]/.test(topic))) {
    found.push(
      failed('wildcards', 'the broker takes no + and #', 'allow them, or name each topic in mqtt.subscriptions'),
    );
  }
  if (said.sharedAvailable === false && topics.some(isShared)) {
    found.push(failed('shared subscriptions', 'the broker takes none', 'allow them, or subscribe without $share'));
  }
  return found;
}

function noticeLimits(config: Config, { limits: said, software }: BrokerFacts): Finding[] {
  const { notices } = config;
  const found: Finding[] = [];
  if (said.retainAvailable === false && !notices.enabled) {
    found.push(ok('retained messages', 'not available, and not needed'));
  } else if (said.retainAvailable === false) {
    const remedy = 'let the broker keep retained messages, or set notices.enabled to false';
    found.push(failed('retained messages', 'not available: the notices of the bridge need them', remedy));
  }
  const needed = notices.inlineCsvMaxBytes + NOTICE_OVERHEAD_BYTES;
  const { maximumPacketBytes } = said;
  if (notices.enabled && maximumPacketBytes !== undefined && maximumPacketBytes < needed) {
    const text = `${maximumPacketBytes} bytes, too small for notices with a CSV of ${notices.inlineCsvMaxBytes} bytes`;
    const raise = settingOf(kindNamed(software), 'packet', wantedOf(config));
    const lower = `or set notices.inlineCsvMaxBytes to ${Math.max(0, maximumPacketBytes - NOTICE_OVERHEAD_BYTES)}`;
    found.push(warning('maximum packet size', text, raise, lower));
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
  const remedy = subscribeRemedy(topic, qos, code);
  if (code !== undefined && code < 0x80) {
    const text = `granted at QoS ${code} instead of ${qos}: what is lost on the way is not sent again`;
    return failed(subject, text, remedy);
  }
  const remedies = [remedy];
  if (protocolVersion === 4) remedies.push('MQTT 3.1.1 gives no reason; the log of the broker may');
  return failed(subject, `not granted: ${reason}`, ...remedies);
}

function readRights({ mqtt }: Config, { grants, software }: BrokerFacts, kind: BrokerKind | undefined): Finding[] {
  const isOther = kind === undefined ? software !== '' : kind.name !== 'mosquitto';
  if (isOther || !grants.some(({ code, qos }) => code === qos)) return [];
  return [
    unknown(
      'right to read',
      'mosquitto with an acl_file grants every subscription, and withholds the messages without a word',
      `if it has one, it must say for this user: ${mqtt.subscriptions.map(({ topic }) => `topic read ${withoutGroup(topic)}`).join('; ')}`,
    ),
  ];
}
