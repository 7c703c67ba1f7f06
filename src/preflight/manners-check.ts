import type { Config } from '../config/config.ts';
import { isShared } from '../core/topic-filter.ts';
import { settingOf, type Wanted } from '../mqtt/brokers/broker-recognition.ts';
import type { BrokerKind, SettingName } from '../mqtt/brokers/broker-kinds.ts';
import type { Manners, RetainedManners, SessionManners } from '../mqtt/trial/manners.ts';
import { failed, ok, unknown, warning, type Finding } from './finding.ts';

/** Topic, properties and framing of a notice beside its payload, generously. */
export const NOTICE_OVERHEAD_BYTES = 1024;
/** Fewer messages under way than this slow the intake down. */
const ENOUGH_IN_FLIGHT = 60;

/** What was tried, and for whom. */
export interface Tried {
  readonly config: Config;
  readonly manners: Manners;
  readonly kind: BrokerKind | undefined;
  readonly protocolVersion: number;
  /** The broker has not said that it keeps no retained messages. */
  readonly retains: boolean;
}

/** What the configuration asks of the broker's settings. */
export function wantedOf({ mqtt, notices }: Config): Wanted {
  return {
    sessionSeconds: mqtt.sessionExpirySeconds,
    window: mqtt.receiveMaximum,
    packetBytes: notices.inlineCsvMaxBytes + NOTICE_OVERHEAD_BYTES,
  };
}

function setting({ config, kind }: Tried, name: SettingName): string {
  return settingOf(kind, name, wantedOf(config));
}

/** What the broker does, as it was seen. The verdict of all comes from verdict.ts. */
export function checkManners(tried: Tried): Finding[] {
  const { config, manners, retains } = tried;
  if (manners.refusal !== '') return [notTried(config, manners.refusal), ...unseen(config, tried.kind)];
  return [
    shared(tried),
    ...dots(tried),
    ...(config.notices.enabled && retains ? [retained(config, manners.retained)] : []),
    ...large(tried),
    ...session(tried),
    ...qos2(tried),
  ];
}

function notTried({ notices }: Config, refusal: string): Finding {
  const topics = `${notices.baseTopic}/probe/#`;
  return unknown(
    'trial',
    `what the broker does with sessions, retained messages, dots and $share was not tried: ${refusal}`,
    `allow this user to publish to ${topics} and to subscribe to it (mosquitto: topic readwrite ${topics}), and check again`,
  );
}

/** What a person has to see to where nothing could be tried. */
export function unseen(config: Config, kind: BrokerKind | undefined): Finding[] {
  const step = (name: SettingName): string => settingOf(kind, name, wantedOf(config));
  const wanted = config.mqtt.sessionExpirySeconds;
  return [
    unknown(
      'session',
      `a clean one was granted; whether the broker keeps the bridge's for ${wanted} s was not tried`,
      step('session'),
    ),
    unknown(
      'queue for an absent bridge',
      'how many messages the broker keeps, and whether over its own restart, it tells nobody',
      step('queue'),
      step('persistence'),
    ),
  ];
}

function shared({ config, manners: { topics } }: Tried): Finding {
  const subject = 'shared subscriptions';
  const wanted = config.mqtt.subscriptions.filter(({ topic }) => isShared(topic));
  const text = SHARED[topics.shared ?? 'unknown'];
  if (topics.shared === 'shared') return ok(subject, text);
  if (wanted.length === 0) return ok(subject, `${text}; none is configured`);
  if (topics.shared === undefined) return unknown(subject, text, 'look into the documentation of the broker');
  return failed(
    subject,
    text,
    'subscribe without $share/<group>/, with one bridge only, or use a broker that knows MQTT 5 shared subscriptions',
  );
}

const SHARED: Readonly<Record<NonNullable<Manners['topics']['shared']> | 'unknown', string>> = {
  shared: 'each message went to one member of the group',
  copied: 'each message went to every member of the group: several bridges would write it several times',
  nothing: 'granted, and nothing came: the broker takes $share/… as an ordinary topic',
  refused: 'not granted',
  unknown: 'it was not found out whether the broker knows them',
};

function dots({ config, kind, manners: { topics } }: Tried): Finding[] {
  const found: Finding[] = [];
  const filters = config.mqtt.subscriptions.map(({ topic }) => topic).filter((topic) => topic.includes('+'));
  if (topics.plus === false) {
    const text = 'a message on a topic that + stands for did not come';
    found.push(failed('wildcard +', text, 'name each topic in mqtt.subscriptions, or end the filters with #'));
  } else if (topics.plusWithDot === false && filters.length > 0) {
    found.push(
      warning(
        'topics with dots',
        `+ does not stand for a level with a dot: a PLC that is named PLC.01 would be lost in silence with ${filters.join(', ')}`,
        ...(kind?.dots === undefined ? [] : [`on ${kind.name}: ${kind.dots}`]),
        'see to it that no level of a topic has a dot, or end the filters with # instead of +',
      ),
    );
  } else {
    found.push(
      ok('topics with dots', topics.plusWithDot === false ? 'not for +; no filter has one' : '+ stands for them too'),
    );
  }
  if (topics.dot === 'changed' || topics.dot === 'lost') {
    const how = topics.dot === 'changed' ? `arrives as ${topics.dotAs ?? 'another'}` : 'does not arrive';
    const text = `a topic n/a.csv/csv ${how}: topics of values and the notices ${config.notices.baseTopic}/recovery/<file>.csv reach others changed`;
    found.push(
      warning('names of topics', text, 'whoever reads the notices goes by their field "file", not by the topic'),
    );
  }
  return found;
}

function retained({ notices }: Config, found: RetainedManners | undefined): Finding {
  const subject = 'retained messages';
  if (found?.byName === undefined) return unknown(subject, 'it was not found out whether they are kept', 'check again');
  if (!found.byName)
    return failed(
      subject,
      'not kept: the notices of the bridge need them',
      'let the broker keep them, or set notices.enabled to false',
    );
  if (found.cleared === false) {
    const text = 'kept, and not cleared by an empty one: notices of files that are gone would stay';
    return warning(subject, text, 'look into the documentation of the broker, or set notices.enabled to false');
  }
  if (found.forWildcard === false) {
    const text = 'kept, and not sent to who subscribes with a wildcard; the bridge clears its own by name';
    return warning(
      subject,
      text,
      `let a dashboard subscribe to ${notices.baseTopic}/state and …/health by name, and ask the bridge over HTTP for the files`,
    );
  }
  const flag = found.flagged === false ? ', without the retain flag; the bridge clears its own by name' : '';
  return ok(subject, `kept, sent on subscribing by name and by wildcard${flag}, cleared by an empty one`);
}

function large(tried: Tried): Finding[] {
  const { config, manners } = tried;
  const bytes = config.notices.inlineCsvMaxBytes;
  if (bytes === 0 || manners.large === undefined) return [];
  const subject = 'message with a CSV';
  if (manners.large) return [ok(subject, `one of ${bytes} bytes came`)];
  const smaller = 'or set notices.inlineCsvMaxBytes to less: a larger CSV is then not published';
  return [warning(subject, `one of ${bytes} bytes did not come`, setting(tried, 'packet'), smaller)];
}

function session(tried: Tried): Finding[] {
  const found = tried.manners.session;
  if (found?.kept === false) return [expiry(tried, found)];
  if (found?.qos === 0) {
    const text = 'messages that are published at it come at QoS 0: what is lost on the way is not sent again';
    return [failed('QoS 1', text, 'let the broker grant QoS 1 to this user')];
  }
  if (found?.window === undefined)
    return [unknown('session', 'it was not found out what becomes of it over a lost connection', 'check again')];
  // Of nothing that came to an absent client the queue says what there is to say.
  const way = found.window === 0 ? [] : [under(tried, found.window)];
  return [expiry(tried, found), ...way, again(found), queue(tried, found)];
}

function expiry(tried: Tried, { expirySeconds, kept }: SessionManners): Finding {
  const { config, kind, protocolVersion } = tried;
  const wanted = config.mqtt.sessionExpirySeconds;
  const remedy = setting(tried, 'session');
  if (kept === false) {
    const text = 'not there any more after a lost connection: what comes while the bridge is away is lost';
    return failed('session', text, remedy, setting(tried, 'persistence'));
  }
  if (protocolVersion === 4) {
    const text =
      'kept over a lost connection. With MQTT 3.1.1 the broker alone decides how long it keeps that of an absent bridge';
    return unknown('session', text, remedy);
  }
  if (expirySeconds !== undefined && expirySeconds < wanted) {
    const text = `the broker keeps one for ${expirySeconds} s, and mqtt.sessionExpirySeconds is ${wanted}: what it drops with the session is lost`;
    return warning('session', text, remedy);
  }
  if (kind?.hidesExpiry === true)
    return unknown('session', `kept over a lost connection; whether for ${wanted} s the broker does not say`, remedy);
  return ok('session', `kept over a lost connection, and for ${wanted} s as asked for`);
}

function under(tried: Tried, window: number): Finding {
  const subject = 'messages under way';
  if (window >= ENOUGH_IN_FLIGHT) return ok(subject, `${window} of ${window} came without an acknowledgement`);
  const text = `${window} at once: the next ones wait until these are on disk, which slows the intake down`;
  return warning(subject, text, setting(tried, 'window'));
}

function again({ cameAgain, flagged, ids, inOrder, leaksWindow, sameIds, unacknowledged }: SessionManners): Finding {
  const subject = 'unacknowledged messages';
  if (cameAgain < unacknowledged) {
    const text = `${unacknowledged - cameAgain} of ${unacknowledged} did not come again after a lost connection`;
    return failed(subject, text, 'use a broker that keeps them: each break of the connection would lose values');
  }
  const manner = [
    flagged === true ? 'with DUP' : 'without DUP',
    sameIds === true ? 'under the same packet ids' : 'under other packet ids',
    ids === undefined ? '' : ID_MANNERS[ids],
    inOrder === false ? 'in another order' : '',
  ].filter((part) => part !== '');
  const text = `come again after a lost connection, ${manner.join(', ')}`;
  if (leaksWindow !== true) return ok(subject, text);
  return warning(
    subject,
    `${text}; but what was under way counts against mqtt.receiveMaximum until the broker is started again, so that after some breaks nothing comes any more`,
    'set mqtt.protocolVersion to 4',
  );
}

const ID_MANNERS = {
  counting: 'which count up',
  restarting: 'which begin anew on each connection',
  reused: 'which are soon used again',
} as const;

/** No packet says how many messages a broker keeps. */
function queue(tried: Tried, { queued }: SessionManners): Finding {
  const subject = 'queue for an absent bridge';
  const steps = [setting(tried, 'queue'), setting(tried, 'persistence')];
  if (queued === false) {
    return failed(subject, 'what was published while the client was away did not come: it is lost', ...steps);
  }
  const text =
    'what came while a client was away was kept; how many the broker keeps, and whether over its own restart, it tells nobody';
  return unknown(subject, text, ...steps);
}

function qos2({ config, manners: { qos2: found } }: Tried): Finding[] {
  const wanted = config.mqtt.subscriptions
    .filter(({ qos }: { readonly qos: number }) => qos === 2)
    .map(({ topic }) => topic);
  const subject = 'QoS 2';
  if (found?.exact === true) {
    const only = 'exact over lost connections, for what is published at QoS 2';
    return [ok(subject, only)];
  }
  const text =
    found?.qos === undefined
      ? 'not found out'
      : found.qos < 2
        ? `granted as ${found.qos}`
        : `granted, but not kept to: ${found.fault}`;
  if (wanted.length === 0) return [ok(subject, `${text}; no subscription asks for it`)];
  return [failed(subject, text, `set "qos": 1 for ${wanted.join(', ')}`)];
}
