import type { RetainedManners } from './manners.ts';
import { TrialClient } from './trial-client.ts';
import { comesBehind, count, type TrialGround } from './trial-topics.ts';

const KEPT = 'kept';

/**
 * Whether a retained message is kept, is sent to who subscribes by its name and to who subscribes with a wildcard, has
 * the retain flag then, and goes with an empty one. Throws BrokerProbeError.
 *
 * Nothing is left behind: the message is cleared at the end, and where the trial is cut short by the client's Last
 * Will, which is empty and retained.
 */
export async function tryRetained(ground: TrialGround): Promise<RetainedManners> {
  const name = `${ground.topic}/r/a`;
  const client = await openClearing(ground, name);
  const sent = async (filter: string, mark: string): Promise<boolean | undefined> => {
    const before = count(client, KEPT);
    const code = await client.subscribe(filter, 1);
    if (code === undefined || code >= 0x80) return undefined;
    const hasCome = await comesBehind(client, ground.topic, mark, () => count(client, KEPT) > before);
    await client.unsubscribe(filter);
    return hasCome;
  };
  try {
    await client.subscribe(`${ground.topic}/echo`, 1);
    const said = await client.publish(name, KEPT, { retain: true });
    if (said !== '') return { byName: false, forWildcard: undefined, flagged: undefined, cleared: undefined };
    const byName = await sent(name, 'by name');
    const forWildcard = await sent(`${ground.topic}/r/+`, 'for wildcard');
    const kept = client.arrivals.filter(({ text }) => text === KEPT);
    await client.publish(name, '', { retain: true });
    const isThere = await sent(name, 'cleared');
    return {
      byName,
      forWildcard,
      flagged: kept.length === 0 ? undefined : kept.every(({ retain }) => retain),
      cleared: isThere === undefined ? undefined : !isThere,
    };
  } finally {
    await client.publish(name, '', { retain: true });
    await client.end();
  }
}

/** mochi 2.7 ends the connection on a Last Will that is empty, which MQTT allows. */
async function openClearing(ground: TrialGround, clears: string): Promise<TrialClient> {
  const clientId = `${ground.clientId}-r`;
  try {
    return await TrialClient.open(ground.way, { clientId, clears });
  } catch {
    return TrialClient.open(ground.way, { clientId });
  }
}
