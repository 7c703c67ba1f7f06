import { durationText, plural, sizeText } from '../core/wording.ts';
import { remedyFor, type ProblemKind } from './advice.ts';
import { haveOneReason, nameOf } from './destination-status.ts';
import { diskOfJournal } from './disk-watch.ts';
import { shortText } from './short-text.ts';
import type { Advice, DestinationStatus, DiskStatus, StatusFacts } from './status.ts';

/** What a problem is looked for in: all together, or one destination; audit, buffer and oracle are its own then. */
type View = StatusFacts & { readonly destination?: DestinationStatus };

/** One thing that can be wrong, and how a person is told of it. */
interface Problem {
  readonly kind: Exclude<ProblemKind, 'subscription'>;
  /** The problem in one sentence; undefined when there is none. */
  readonly sentence: (view: View) => string | undefined;
  /** The destinations that have it each for itself, of several; absent: none, it is of all of them. */
  readonly ofEach?: (destinations: readonly DestinationStatus[]) => readonly DestinationStatus[];
  /**
   * The problem in a few words without numbers, for a line that should seldom change; absent: that line leaves it out.
   */
  readonly phrase?: (view: View) => string;
  /** True when values are lost, or none come, or none go. */
  readonly isGrave?: (facts: GraveFacts) => boolean;
}

/** The facts that tell how grave the problems are; every version of the bridge has them in its status. */
export type GraveFacts = Pick<StatusFacts, 'audit' | 'oracle'> & { readonly mqtt: { readonly connected: boolean } };

/** All problems that are looked for, the worst first. */
const PROBLEMS: readonly Problem[] = [
  {
    kind: 'audit',
    sentence: ({ audit, destination }) => {
      if (audit.balanced) return undefined;
      const what = audit.difference > 0 ? 'missing' : 'counted twice';
      const whose = destination === undefined ? '' : ` of the ${nameOf(destination)}`;
      return `The audit${whose} does not balance: ${plural(Math.abs(audit.difference), 'value')} ${what}.`;
    },
    ofEach: (destinations) => destinations.filter(({ audit }) => !audit.balanced),
    phrase: () => 'audit out of balance',
    isGrave: ({ audit }) => !audit.balanced,
  },
  {
    kind: 'dropped',
    sentence: ({ counters }) => {
      if (counters.valuesDropped === 0) return undefined;
      return `${plural(counters.valuesDropped, 'value')} dropped since the start because the buffer was full.`;
    },
    phrase: () => 'values dropped',
  },
  { kind: 'namesake', sentence: ({ mqtt }) => mqtt.namesake },
  {
    kind: 'broker',
    sentence: ({ mqtt }) => {
      if (mqtt.connected) return undefined;
      const since = mqtt.since === undefined ? '' : ` since ${toSeconds(mqtt.since)}`;
      const why = mqtt.reason === undefined ? '' : ` ${mqtt.reason.replace(/\.$/, '')}.`;
      return `Not connected to the MQTT broker${since}: nothing is received.${why}`;
    },
    phrase: () => 'not connected to the broker',
    isGrave: ({ mqtt }) => !mqtt.connected,
  },
  {
    kind: 'journal',
    sentence: ({ disks, journal }) => {
      if (journal.fullBy !== 'disk') return JOURNAL_SENTENCES[journal.state];
      const disk = diskOfJournal(disks);
      const whose = disk?.directories.join(' and ') ?? 'journal.dir';
      // What was free at an earlier look is not said.
      const isSeen = disk?.state === 'full';
      const room = isSeen ? ` (${sizeText(disk.freeBytes)} of ${sizeText(disk.totalBytes)} free)` : '';
      return `The disk of ${whose} is full${room}: new messages are not acknowledged.`;
    },
    phrase: ({ journal }) => `journal ${journal.state}`,
  },
  {
    kind: 'disk',
    sentence: ({ disks, journal }) => {
      const told = journal.fullBy === 'disk' ? diskOfJournal(disks) : undefined;
      const short = disks.filter((disk) => disk.state !== 'ok' && disk !== told);
      return short.length === 0 ? undefined : short.map((disk) => diskSentence(disk)).join(' ');
    },
    phrase: ({ disks }) => (disks.some(({ state }) => state === 'full') ? 'disk full' : 'little room on disk'),
  },
  {
    kind: 'journalFilling',
    sentence: ({ journal: { bytes, fullInSeconds, maxBytes, state } }) => {
      if (state !== 'ok' || fullInSeconds === undefined || fullInSeconds > JOURNAL_SOON_FULL_SECONDS) return undefined;
      const size = `${sizeText(bytes)} of ${sizeText(maxBytes)}`;
      return `The journal has ${size}, and is full in ${durationText(fullInSeconds)} at this rate: then new messages are not acknowledged.`;
    },
    phrase: () => 'journal filling',
  },
  {
    kind: 'starved',
    sentence: ({ mqtt: { sessionStarvedAt: at, starvedMeasure = 'none' } }) => {
      if (at === undefined) return undefined;
      const what = "the broker stopped to deliver to the bridge's session, although it took what that published";
      return `At ${toSeconds(at)} ${what}. ${STARVED_SENTENCES[starvedMeasure]}`;
    },
  },
  {
    kind: 'sessionLost',
    sentence: ({ mqtt: { sessionLostAt: at } }) => {
      if (at === undefined) return undefined;
      const what = "the broker had lost the bridge's session: what it had kept for an absent bridge is gone";
      return `At ${toSeconds(at)} ${what}.`;
    },
  },
  {
    kind: 'oracle',
    sentence: ({ destination, oracle }) => {
      if (oracle.state === 'connected') return undefined;
      const words = ORACLE_WORDS[oracle.state];
      const what = destination === undefined ? words.what : words.whatOf(nameOf(destination));
      const since = oracle.since === undefined ? '' : ` since ${toSeconds(oracle.since)}`;
      const why = oracle.reason === undefined ? '' : `: ${describe(oracle.reason)}`;
      return `${what}${since}${why}.${destination === undefined ? words.consequence : words.consequenceOfOne}`;
    },
    phrase: ({ destination, oracle }) => {
      if (oracle.state === 'connected') return '';
      const { short } = ORACLE_WORDS[oracle.state];
      return destination === undefined ? short : `${shortText(destination.name, MAX_NAME_LENGTH)}: ${short}`;
    },
    ofEach: (destinations) => {
      const known = destinations.filter(({ gone }) => gone === undefined);
      return haveOneReason(known) ? [] : known.filter(({ state }) => state !== 'connected');
    },
    isGrave: ({ oracle }) => oracle.state === 'down',
  },
  {
    kind: 'bufferFull',
    sentence: ({ buffer, destination }) => {
      if (buffer.size < buffer.capacity) return undefined;
      return destination === undefined ? 'The buffer is full.' : `The buffer of the ${nameOf(destination)} is full.`;
    },
    ofEach: (destinations) => destinations.filter(({ buffer }) => buffer.size >= buffer.capacity),
  },
  {
    kind: 'gone',
    sentence: ({ destinations }) => {
      const gone = destinations.filter((each) => each.gone === true && each.pending > 0);
      if (gone.length === 0) return undefined;
      const names = gone.map(({ name }) => shortText(name, MAX_NAME_LENGTH)).join(', ');
      const values = plural(
        gone.reduce((sum, { pending }) => sum + pending, 0),
        'value',
      );
      return `${values} from before the start for what is not in oracle.destinations any more go to CSV: ${names}.`;
    },
    phrase: () => 'values without a destination',
  },
  {
    kind: 'backups',
    sentence: ({ backups }) => waiting(backups.pendingFiles, backups.pendingRows, 'waiting for Oracle in CSV backups'),
    phrase: () => 'backups wait for Oracle',
  },
  {
    kind: 'homeless',
    sentence: ({ backups: { homeless } }) => {
      if (homeless === undefined) return undefined;
      const names = homeless.destinations.map((name) => shortText(name, MAX_NAME_LENGTH)).join(', ');
      const which = homeless.destinations.length === 1 ? 'a destination' : 'destinations';
      return waiting(homeless.files, homeless.rows, `for ${which} not in oracle.destinations, kept in CSV: ${names}`);
    },
    phrase: () => 'rows without a destination',
  },
  {
    kind: 'held',
    sentence: ({ backups }) =>
      waiting(backups.heldFiles, backups.heldRows, 'held until the table has a partition for them'),
    phrase: () => 'rows without a partition',
  },
  {
    kind: 'rejected',
    sentence: ({ backups }) =>
      waiting(backups.rejectedFiles, backups.rejectedRows, 'rejected, kept with the reason in CSV'),
    phrase: () => 'rejected rows',
  },
  {
    kind: 'undecodable',
    sentence: ({ backups }) =>
      waiting(backups.undecodableFiles, backups.undecodableRows, 'undecodable, kept in CSV', 'message'),
    phrase: () => 'undecodable messages',
  },
  {
    kind: 'turnedIntoText',
    sentence: ({ tags: { turnedIntoText } }) => {
      const { count, examples } = turnedIntoText;
      if (count === 0) return undefined;
      const names = examples.map((name) => shortText(name, MAX_NAME_LENGTH)).join(', ');
      const what =
        count === 1 ? '1 tag that was a number is a text now' : `${count} tags that were numbers are texts now`;
      return `${what}: ${names}${count > examples.length ? ' …' : ''}.`;
    },
    phrase: () => 'texts in place of numbers',
  },
  {
    kind: 'implausibleTime',
    sentence: ({ tags: { implausibleTimes } }) => {
      const { first, tags } = implausibleTimes;
      if (tags === 0 || first === undefined) return undefined;
      const what = tags === 1 ? '1 tag has a time' : `${tags} tags have times`;
      const where = `${shortText(first.tagName, MAX_NAME_LENGTH)} on ${shortText(first.topic, MAX_NAME_LENGTH)}`;
      const when = `${toSeconds(first.timestamp)}, received at ${toSeconds(first.receivedAt)}`;
      return `${what} that can not be right, the first ${where}: ${when}.`;
    },
    phrase: () => 'times that can not be right',
  },
];

const MAX_NAME_LENGTH = 100;

const JOURNAL_SOON_FULL_SECONDS = 6 * 3600;

function diskSentence({ directories, freeBytes, fullInSeconds, state, totalBytes }: DiskStatus): string {
  const whose = `The disk of ${directories.join(' and ')}`;
  const room = `${sizeText(freeBytes)} of ${sizeText(totalBytes)}`;
  if (state === 'full') return `${whose} is full: ${room} are free.`;
  const until = fullInSeconds === undefined ? '' : `, and is full in ${durationText(fullInSeconds)} at this rate`;
  return `${whose} has ${room} free${until}.`;
}

const STARVED_SENTENCES = {
  none: 'It still gets nothing.',
  receiveMaximum: 'It goes on with a receive maximum of 65,535.',
  mqtt311: 'It goes on with MQTT 3.1.1.',
} as const;

const ORACLE_WORDS = {
  retrying: {
    what: 'Writing to Oracle fails',
    whatOf: (name: string) => `Writing to the ${name} fails`,
    consequence: ' It is being tried again.',
    consequenceOfOne: ' It is being tried again.',
    short: 'writing to Oracle fails, trying again',
  },
  down: {
    what: 'Oracle is down',
    whatOf: (name: string) => `The ${name} is down`,
    consequence: ' Values go to CSV backups.',
    consequenceOfOne: ' Its values go to CSV backups.',
    short: 'Oracle down',
  },
} as const;

const JOURNAL_SENTENCES = {
  ok: undefined,
  full: 'The journal is full: new messages are not acknowledged.',
  failing: 'The journal cannot be written: new messages are not acknowledged.',
} as const;

/** What a person should know about these numbers, one sentence each, and what to do about it. */
export function findProblems(facts: StatusFacts): Advice[] {
  const found = PROBLEMS.flatMap((each) =>
    viewsFor(each, facts).flatMap((view) => {
      const problem = each.sentence(view);
      return problem === undefined ? [] : [{ problem, remedy: remedyFor(each.kind, view) }];
    }),
  );
  const remedy = remedyFor('subscription', facts);
  const { connected, manners = [], notices, subscriptionProblems } = facts.mqtt;
  // Where the broker is away, that is said already.
  const ofNotices = connected ? (notices?.problems ?? []) : [];
  return [...found, ...subscriptionProblems.map((problem) => ({ problem, remedy })), ...manners, ...ofNotices];
}

/** The problems in a few words each, without numbers; empty when there is nothing to say. */
export function problemPhrases(facts: StatusFacts): string[] {
  const phrases = PROBLEMS.flatMap((each) => {
    const { phrase, sentence } = each;
    if (phrase === undefined) return [];
    return viewsFor(each, facts).flatMap((view) => (sentence(view) === undefined ? [] : [phrase(view)]));
  });
  return [...new Set(phrases)];
}

function viewOf(facts: StatusFacts, destination: DestinationStatus): View {
  const { audit, buffer } = destination;
  return { ...facts, audit, buffer, oracle: destination, destination };
}

/** One for each destination that has the problem for itself, else one of all. */
function viewsFor({ ofEach }: Problem, facts: StatusFacts): readonly View[] {
  const { destinations } = facts;
  const found = destinations.length < 2 ? [] : (ofEach?.(destinations) ?? []);
  if (found.length === 0) return [facts];
  return found.map((each) => viewOf(facts, each));
}

/** Whether values are lost, or none come, or none go: decides on the colour of what is said. */
export function isGrave(facts: GraveFacts): boolean {
  return PROBLEMS.some((problem) => problem.isGrave?.(facts) === true);
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
