import { askMember, type ShownStatus } from './status-request.ts';

/** One address of a fleet, and what came of asking it: a status or an error. */
export interface Member {
  readonly url: string;
  readonly status?: ShownStatus;
  /** Why there is no status. */
  readonly error?: string;
}

/** The members that answered, added up. */
export interface FleetSum {
  readonly members: number;
  readonly answering: number;
  /** How many of those that answered are connected to their broker. */
  readonly connectedToBroker: number;
  readonly writingToOracle: number;
  readonly balanced: boolean;
  readonly problems: number;
  readonly rates: {
    readonly valuesInPerSecond: number;
    readonly valuesOutPerSecond: number;
    readonly messagesPerSecond: number;
  };
  /** How many values are received and not settled. */
  readonly pending: number;
  readonly unackedMessages: number;
  readonly journal: { readonly bytes: number; readonly messages: number };
  readonly backups: {
    readonly pendingFiles: number;
    readonly pendingRows: number;
    readonly rejectedRows: number;
    readonly undecodableRows: number;
  };
  /** Each counter that any member has: members of two versions may have other ones. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Several members that say they are the same bridge. */
export interface SharedId {
  readonly bridgeId: string;
  readonly urls: readonly string[];
}

/** Asks all members at once; takes as long as the slowest, 5 s at most. */
export function askFleet(urls: readonly string[]): Promise<Member[]> {
  return Promise.all(
    urls.map(async (url) => {
      const answer = await askMember(url);
      return typeof answer === 'string' ? { url, error: answer } : { url, status: answer };
    }),
  );
}

export function sumOf(members: readonly Member[]): FleetSum {
  const statuses = answersOf(members);
  const total = (figure: (status: ShownStatus) => number | undefined): number =>
    statuses.reduce((sum, status) => sum + (figure(status) ?? 0), 0);
  return {
    members: members.length,
    answering: statuses.length,
    connectedToBroker: statuses.filter(({ mqtt }) => mqtt.connected).length,
    writingToOracle: statuses.filter(({ oracle }) => oracle.state === 'connected').length,
    balanced: statuses.every(({ audit }) => audit.balanced),
    problems: total(({ problems }) => problems.length),
    rates: {
      valuesInPerSecond: total(({ rates }) => rates?.valuesInPerSecond),
      valuesOutPerSecond: total(({ rates }) => rates?.valuesOutPerSecond),
      messagesPerSecond: total(({ rates }) => rates?.messagesPerSecond),
    },
    pending: total(({ audit }) => audit.pending),
    unackedMessages: total(({ mqtt }) => mqtt.unackedMessages),
    journal: { bytes: total(({ journal }) => journal.bytes), messages: total(({ journal }) => journal.messages) },
    backups: {
      pendingFiles: total(({ backups }) => backups.pendingFiles),
      pendingRows: total(({ backups }) => backups.pendingRows),
      rejectedRows: total(({ backups }) => backups.rejectedRows),
      undecodableRows: total(({ backups }) => backups.undecodableRows),
    },
    counters: sumCounters(statuses),
  };
}

/** What must not be: one id for two members, which take session, notices and ledger from each other. */
export function sharedIds(members: readonly Member[]): SharedId[] {
  const urls = new Map<string, string[]>();
  for (const { url, status } of members) {
    if (status !== undefined) urls.set(status.bridgeId, [...(urls.get(status.bridgeId) ?? []), url]);
  }
  return [...urls].flatMap(([bridgeId, each]) => (each.length > 1 ? [{ bridgeId, urls: each }] : []));
}

export function answersOf(members: readonly Member[]): ShownStatus[] {
  return members.flatMap(({ status }) => (status === undefined ? [] : [status]));
}

function sumCounters(statuses: readonly ShownStatus[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { counters } of statuses) {
    for (const [name, count] of Object.entries(counters)) sum[name] = (sum[name] ?? 0) + Number(count);
  }
  return sum;
}
