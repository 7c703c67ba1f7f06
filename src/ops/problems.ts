import { remedyFor, type Advice, type ProblemKind } from './advice.ts';
import type { StatusFacts } from './status.ts';

type Check = (facts: StatusFacts) => string | undefined;

/** Each looks at one thing and says nothing when that is in order. The worst come first. */
const CHECKS: Readonly<Record<Exclude<ProblemKind, 'subscription'>, Check>> = {
  audit: ({ audit }) => {
    if (audit.balanced) return undefined;
    const what = audit.difference > 0 ? 'missing' : 'counted twice';
    return `The audit does not balance: ${plural(Math.abs(audit.difference), 'value')} ${what}.`;
  },
  dropped: ({ counters }) => {
    if (counters.valuesDropped === 0) return undefined;
    return `${plural(counters.valuesDropped, 'value')} dropped since the start because the buffer was full.`;
  },
  journal: ({ journal }) => JOURNAL_SENTENCES[journal.state],
  namesake: ({ mqtt }) => mqtt.namesake,
  broker: ({ mqtt }) => {
    if (mqtt.connected) return undefined;
    const since = mqtt.since === undefined ? '' : ` since ${toSeconds(mqtt.since)}`;
    const why = mqtt.reason === undefined ? '' : ` ${mqtt.reason.replace(/\.$/, '')}.`;
    return `Not connected to the MQTT broker${since}: nothing is received.${why}`;
  },
  starved: ({ mqtt: { sessionStarvedAt: at, starvedMeasure = 'none' } }) => {
    if (at === undefined) return undefined;
    const what = "the broker stopped to deliver to the bridge's session, although it took what that published";
    return `At ${toSeconds(at)} ${what}. ${STARVED_SENTENCES[starvedMeasure]}`;
  },
  sessionLost: ({ mqtt: { sessionLostAt: at } }) => {
    if (at === undefined) return undefined;
    const what = "the broker had lost the bridge's session: what it had kept for an absent bridge is gone";
    return `At ${toSeconds(at)} ${what}.`;
  },
  oracle: ({ oracle }) => {
    if (oracle.state === 'connected') return undefined;
    const [what, consequence] = ORACLE_SENTENCES[oracle.state];
    const since = oracle.since === undefined ? '' : ` since ${toSeconds(oracle.since)}`;
    const why = oracle.reason === undefined ? '' : `: ${describe(oracle.reason)}`;
    return `${what}${since}${why}.${consequence}`;
  },
  bufferFull: ({ buffer }) => (buffer.size < buffer.capacity ? undefined : 'The buffer is full.'),
  backups: ({ backups }) => waiting(backups.pendingFiles, backups.pendingRows, 'waiting for Oracle in CSV backups'),
  rejected: ({ backups }) =>
    waiting(backups.rejectedFiles, backups.rejectedRows, 'rejected, kept with the reason in CSV'),
  undecodable: ({ backups }) =>
    waiting(backups.undecodableFiles, backups.undecodableRows, 'undecodable, kept in CSV', 'message'),
};

const STARVED_SENTENCES = {
  none: 'It still gets nothing.',
  receiveMaximum: 'It goes on with a receive maximum of 65,535.',
  mqtt311: 'It goes on with MQTT 3.1.1.',
} as const;

const ORACLE_SENTENCES = {
  retrying: ['Writing to Oracle fails', ' It is being tried again.'],
  down: ['Oracle is down', ' Values go to CSV backups.'],
  disabled: ['Writing to Oracle is switched off', ''],
} as const;

const JOURNAL_SENTENCES = {
  ok: undefined,
  full: 'The journal is full: new messages are not acknowledged.',
  failing: 'The journal cannot be written: new messages are not acknowledged.',
} as const;

/** What a person should know about these numbers, one sentence each, and what to do about it. */
export function findProblems(facts: StatusFacts): Advice[] {
  const found = Object.entries(CHECKS).flatMap(([kind, check]) => {
    const problem = check(facts);
    return problem === undefined ? [] : [{ problem, remedy: remedyFor(kind as ProblemKind, facts) }];
  });
  const remedy = remedyFor('subscription', facts);
  const { manners = [], subscriptionProblems } = facts.mqtt;
  return [...found, ...subscriptionProblems.map((problem) => ({ problem, remedy })), ...manners];
}

/** ISO 8601 without the fraction. */
function toSeconds(time: string): string {
  return time.replace(/\.\d+/, '');
}

function waiting(files: number, rows: number, what: string, noun = 'row'): string | undefined {
  return files === 0 ? undefined : `${plural(rows, noun)} ${what} (${plural(files, 'file')}).`;
}

/** Database messages often begin with their code. */
function describe({ code, message }: { readonly code: string; readonly message: string }): string {
  const text = message.startsWith(code) ? message : `${code}: ${message}`;
  return text.trim().replace(/\.$/, '');
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
