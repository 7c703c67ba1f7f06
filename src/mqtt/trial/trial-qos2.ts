import type { Qos2Manners } from './manners.ts';
import { endSession, TrialClient } from './trial-client.ts';
import type { TrialClientOptions } from './trial-options.ts';
import { GRACE_MS, SURE_MS, type TrialGround } from './trial-topics.ts';

const SESSION_SECONDS = 120;
const AGAIN_MS = 8000;

/**
 * One message at QoS 2 and two lost connections: before PUBREC it has to come again under its packet id, after PUBREC
 * nothing but PUBREL may come [MQTT 5.0 section 4.3.3 and 4.4]. Throws BrokerProbeError.
 */
export async function tryQos2(ground: TrialGround): Promise<Qos2Manners> {
  const clientId = `${ground.clientId}-x`;
  const topic = `${ground.topic}/x`;
  const opened: TrialClient[] = [];
  const next = async (answers: TrialClientOptions['answers']): Promise<TrialClient> => {
    const client = await TrialClient.open(ground.way, {
      clientId,
      sessionSeconds: SESSION_SECONDS,
      ...(answers && { answers }),
    });
    opened.push(client);
    return client;
  };
  try {
    const first = await next('withheld');
    const qos = await first.subscribe(topic, 2);
    if (qos !== 2) return { qos, exact: undefined, fault: '' };
    const publisher = await TrialClient.open(ground.way, { clientId: `${clientId}-p` });
    opened.push(publisher);
    const said = await publisher.publish(topic, 'once', { qos: 2 });
    if (said !== '') return { qos, exact: false, fault: `a message at QoS 2 is not taken: ${said}` };
    if (!(await first.until(() => first.arrivals.length > 0, SURE_MS)))
      return { qos, exact: false, fault: 'it did not come' };
    const [original] = first.arrivals;
    if (original?.qos !== 2) return { qos, exact: false, fault: `it came at QoS ${original?.qos}` };
    first.cut();
    const second = await next('rec');
    await second.until(() => second.arrivals.length > 0, second.sessionPresent ? AGAIN_MS : GRACE_MS);
    const [again] = second.arrivals;
    if (again === undefined) return { qos, exact: false, fault: 'it did not come again after a break before PUBREC' };
    if (again.packetId !== original.packetId)
      return { qos, exact: false, fault: 'it came again under another packet id' };
    if (!(await second.until(() => second.released.length > 0, SURE_MS)))
      return { qos, exact: false, fault: 'PUBREC was not answered' };
    second.cut();
    const third = await next('all');
    await third.until(() => third.released.length > 0 || third.arrivals.length > 0, AGAIN_MS);
    await third.quiet(GRACE_MS, SURE_MS);
    third.demandConnection();
    const fault = third.arrivals.length > 0 ? 'it came again after a break behind PUBREC' : '';
    return { qos, exact: fault === '', fault };
  } finally {
    for (const client of opened) await client.end();
    await endSession(ground.way, clientId);
  }
}
