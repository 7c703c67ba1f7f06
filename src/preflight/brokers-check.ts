import type { Config } from '../config/config.ts';
import { brokerOf, brokerUrls } from '../core/broker-url.ts';
import type { Clock } from '../core/clock.ts';
import { checkBroker } from './broker-check.ts';
import { warning, type Finding } from './finding.ts';

export interface BrokerFindings {
  /** Its address. */
  readonly broker: string;
  readonly findings: readonly Finding[];
}

const STANDBY = 'nothing, if it is the standby of a pair: such a one begins to listen when the other is gone';

/**
 * Tries each broker of `mqtt.url`, one after the other, as a cluster hands a client id's session from one to the next.
 * One that can't be reached is a warning as long as another is there. Never throws.
 */
export async function checkBrokers(config: Config, clock: Clock, signal: AbortSignal): Promise<BrokerFindings[]> {
  const all: BrokerFindings[] = [];
  for (const url of brokerUrls(config.mqtt.url)) {
    if (signal.aborted) break;
    const oneBroker = { ...config, mqtt: { ...config.mqtt, url } };
    all.push({ broker: brokerOf(url), findings: await checkBroker(oneBroker, clock, signal) });
  }
  if (all.every(({ findings }) => isAbsent(findings))) return all;
  return all.map(({ broker, findings }) => ({ broker, findings: isAbsent(findings) ? asStandby(findings) : findings }));
}

/** Nothing but that there is no connection. */
function isAbsent(findings: readonly Finding[]): boolean {
  return findings.every(({ subject, verdict }) => subject === 'connection' && verdict === 'failed');
}

function asStandby(findings: readonly Finding[]): Finding[] {
  return findings.map(({ remedy, subject, text }) => warning(subject, text, STANDBY, ...remedy));
}
