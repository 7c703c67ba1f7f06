import { NO_TOPICS, type TopicManners } from './manners.ts';
import { BrokerProbeError } from './open.ts';
import { TrialClient } from './trial-client.ts';
import type { TrialWay } from './trial-options.ts';

/** One trial: the way to the broker, topics that nobody else has, and client ids that nobody else has. */
export interface TrialGround {
  readonly way: TrialWay;
  /** `<base>/probe/<random>`: every topic of the trial lies below it. */
  readonly topic: string;
  /** `<client id>-check-<random>`: every client id of the trial begins with it. */
  readonly clientId: string;
}

/** How long a message may take that surely comes, and one that need not come. */
export const SURE_MS = 4000;
/** A message that has not come so long behind a later one does not come. */
export const GRACE_MS = 400;
const MEMBERS_MESSAGES = 6;

/** Something is there, or why nothing of ours is delivered. */
export interface TopicTrial {
  readonly refusal: string;
  readonly manners: TopicManners;
}

/**
 * Whether `$share/…` is known, `+` brings a level with a dot, and a topic with a dot arrives as it is. Throws
 * BrokerProbeError; every wait is bounded.
 */
export async function tryTopics(ground: TrialGround): Promise<TopicTrial> {
  const client = await TrialClient.open(ground.way, { clientId: `${ground.clientId}-t` });
  try {
    const refusal = await tryEcho(client, ground.topic);
    if (refusal !== '') return { refusal, manners: NO_TOPICS };
    const dots = await tryDots(client, ground.topic);
    return { refusal, manners: { ...dots, shared: await tryShared(client, ground) } };
  } finally {
    await client.end();
  }
}

/** Empty when a message of ours comes back to us. */
async function tryEcho(client: TrialClient, topic: string): Promise<string> {
  const code = await client.subscribe(`${topic}/echo`, 1);
  if (code === undefined || code >= 0x80) return `the subscription to ${topic}/echo is not granted`;
  const said = await client.publish(`${topic}/echo`, 'first');
  if (said !== '') return `a message to ${topic}/echo is not taken: ${said}`;
  if (await client.until(() => count(client, 'first') > 0, SURE_MS)) return '';
  client.demandConnection();
  return `a message to ${topic}/echo is taken, and does not come back`;
}

async function tryDots(client: TrialClient, topic: string): Promise<Omit<TopicManners, 'shared'>> {
  await client.subscribe(`${topic}/w/+/x`, 1);
  await client.subscribe(`${topic}/n/#`, 1);
  const all = { 'w/word/x': 'plus', 'w/a.b/x': 'plus with dot', 'n/a.csv/csv': 'dot' };
  for (const [name, text] of Object.entries(all)) await client.publish(`${topic}/${name}`, text);
  await comesBehind(client, topic, 'dots', () => Object.values(all).every((text) => count(client, text) > 0));
  const dotted = client.arrivals.find(({ text }) => text === 'dot');
  const isKept = dotted?.topic === `${topic}/n/a.csv/csv`;
  return {
    plus: count(client, 'plus') > 0,
    plusWithDot: count(client, 'plus with dot') > 0,
    dot: dotted === undefined ? 'lost' : isKept ? 'kept' : 'changed',
    dotAs: dotted === undefined || isKept ? undefined : dotted.topic.slice(topic.length + '/n/'.length),
  };
}

/** Two members of a group of our own: within the bridge's, the trial would take messages away from it. */
async function tryShared(publisher: TrialClient, ground: TrialGround): Promise<TopicManners['shared']> {
  const group = ground.clientId.replaceAll(/[/+#]/g, '-');
  const filter = `$share/${group}/${ground.topic}/s`;
  const members: TrialClient[] = [];
  try {
    for (const name of ['m', 'n']) {
      const member = await TrialClient.open(ground.way, { clientId: `${ground.clientId}-${name}` });
      members.push(member);
      const code = await member.subscribe(filter, 1);
      if (code === undefined || code >= 0x80) return 'refused';
      await member.subscribe(`${ground.topic}/echo`, 1);
    }
    for (let i = 0; i < MEMBERS_MESSAGES; i += 1) await publisher.publish(`${ground.topic}/s`, `shared ${i}`);
    await publisher.publish(`${ground.topic}/echo`, 'behind');
    for (const member of members) {
      await member.until(() => count(member, 'behind') > 0, SURE_MS);
      await member.quiet(GRACE_MS, SURE_MS);
      member.demandConnection();
    }
    publisher.demandConnection();
    const came = members.map((member) => member.arrivals.filter(({ text }) => text.startsWith('shared')).length);
    const total = came.reduce((sum, each) => sum + each, 0);
    if (total === 0) return 'nothing';
    return total > MEMBERS_MESSAGES ? 'copied' : 'shared';
  } finally {
    for (const member of members) await member.end();
  }
}

/**
 * Waits for what need not come: as long as for a message that was published behind it, and a little. Throws
 * BrokerProbeError when the connection is lost or the message behind does not come either, as nothing can be told then.
 */
export async function comesBehind(
  client: TrialClient,
  topic: string,
  mark: string,
  condition: () => boolean,
): Promise<boolean> {
  await client.publish(`${topic}/echo`, mark);
  if (!(await client.until(() => count(client, mark) > 0, SURE_MS))) {
    client.demandConnection();
    throw new BrokerProbeError('a message of the trial got lost, or took too long');
  }
  const holds = await client.until(condition, GRACE_MS);
  client.demandConnection();
  return holds;
}

export function count(client: TrialClient, text: string): number {
  return client.arrivals.filter((arrival) => arrival.text === text).length;
}
