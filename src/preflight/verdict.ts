import { isShared } from '../core/topic-filter.ts';
import { settingOf } from '../mqtt/brokers/broker-recognition.ts';
import type { Manners, SessionManners } from '../mqtt/trial/manners.ts';
import { formatNamed } from '../payload/formats.ts';
import { failed, ok, warning, type Finding } from './finding.ts';
import { wantedOf, type Tried } from './manners-check.ts';

const SUBJECT = 'verdict';

/**
 * What all of it comes to for this configuration: `exactly once`, `maybe doubled` or `not fit`. Undefined where too
 * little was found out.
 *
 * A message that comes again is recognised by its content where the payload has a time of its own. Where it has none,
 * the packet id has to tell, which it does on a broker that sends again with DUP under the same ids and counts ids up;
 * at QoS 2 the protocol itself tells.
 */
export function verdict(tried: Tried): Finding | undefined {
  const { manners } = tried;
  if (manners.session?.kept === undefined && manners.session?.qos !== 0) return undefined;
  const unfit = unfitFor(tried);
  if (unfit.length > 0) {
    const { config, kind } = tried;
    const steps = (['session', 'persistence'] as const).map((name) => settingOf(kind, name, wantedOf(config)));
    return failed(
      SUBJECT,
      `not fit for this bridge: ${unfit.join('; ')}`,
      ...(isSessionLost(manners) ? steps : WAYS_OUT),
    );
  }
  const isExact = recognises(manners.session);
  const subscriptions = tried.config.mqtt.subscriptions.filter(({ qos }) => qos !== 0);
  const doubtful = subscriptions.filter(
    ({ qos }: { readonly qos: number }) => !(qos === 2 ? manners.qos2?.exact === true : isExact),
  );
  if (doubtful.length === 0) return ok(SUBJECT, 'exactly once');
  return maybeDoubled(manners, doubtful);
}

const WAYS_OUT = ['see what is marked ✗ above'];

function isSessionLost({ session }: Manners): boolean {
  return session?.kept === false || session?.queued === false;
}

function unfitFor({ config, manners }: Tried): string[] {
  const { session, topics } = manners;
  const sharesTopics = config.mqtt.subscriptions.some(({ topic }) => isShared(topic));
  const reasons: readonly (readonly [boolean, string])[] = [
    [session?.qos === 0, 'messages come at QoS 0'],
    [session?.kept === false, 'the session of an absent bridge is not kept'],
    [session !== undefined && session.cameAgain < session.unacknowledged, 'unacknowledged messages are lost'],
    [session?.kept === true && session.queued === false, 'messages for an absent bridge are lost'],
    [topics.plus === false, 'messages that + stands for are lost'],
    [sharesTopics && topics.shared !== undefined && topics.shared !== 'shared', 'shared subscriptions are not known'],
  ];
  return reasons.filter(([holds]) => holds).map(([, text]) => text);
}

/** A repetition is told from a new message with the same content. */
function recognises({ flagged, ids, leaksWindow, sameIds, unacknowledged }: SessionManners): boolean {
  return unacknowledged > 0 && flagged === true && sameIds === true && ids === 'counting' && leaksWindow !== true;
}

function maybeDoubled(manners: Manners, doubtful: Tried['config']['mqtt']['subscriptions']): Finding {
  const timeless = doubtful.filter((each) => !formatNamed(each.format).says(each).timestamp);
  const topics = timeless.map(({ topic }) => topic).join(', ');
  const formats = [...new Set(timeless.map(({ format }) => format))].join(', ');
  const without =
    timeless.length > 0
      ? `${topics} (${formats}) have none`
      : 'where one has none, values may be written twice after a lost connection';
  const text = `exactly once for payloads with a time of their own; ${without}${timeless.length > 0 ? ': values may be written twice after a lost connection' : ''}`;
  const byQos =
    manners.qos2?.exact === true
      ? ['or publish at QoS 2 and set "qos": 2 for these subscriptions, which this broker does exactly']
      : [];
  return warning(SUBJECT, `maybe doubled: ${text}`, 'put a time into each payload', ...byQos);
}
