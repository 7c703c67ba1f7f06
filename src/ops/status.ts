import type { Counters, ValueCounters } from '../core/counters.ts';
import type { DatabaseErrorKind, Reason } from '../core/errors.ts';
import type { Audit } from './audit.ts';
import type { ImplausibleFigures } from './implausible-times.ts';
import type { RateFigures } from './rates.ts';
import type { TurnedTags } from './tags-seen.ts';

/*
 * What a bridge says of itself: the answer of `/api/status`, which the page, the command line and the health notice
 * show. It is read from the running parts in collect-status.ts.
 */

export const ORACLE_STATES = ['connected', 'retrying', 'down'] as const;

/** A problem and what a person can do about it. */
export interface Advice {
  readonly problem: string;
  readonly remedy: string;
}

/** How the recovery notices reach the broker, on a connection of their own. */
export interface NoticesHealth {
  readonly connected: boolean;
  /** How many notices the broker does not take. */
  readonly notTaken: number;
  readonly problems: readonly Advice[];
}

/** What is the same in the status and in the facts that it is made from. */
export interface MqttFigures {
  readonly connected: boolean;
  /** The protocol version agreed with the broker: 5, or 4 for MQTT 3.1.1. */
  readonly protocolVersion: number;
  /** Received messages that the broker still waits for an acknowledgement of. */
  readonly unackedMessages: number;
  /** One sentence for each subscription that the broker refused or cut down. */
  readonly subscriptionProblems: readonly string[];
  /** The address that is connected to, was last, or is tried first. */
  readonly broker?: string;
  /** One sentence about another process that runs as this bridge. */
  readonly namesake?: string | undefined;
  /** What the broker was seen to do with topics that loses values in silence, or changes the names of notices. */
  readonly manners?: readonly Advice[];
  /** Of the connection for the notices; absent where there are none. */
  readonly notices?: NoticesHealth;
  /** What was done last about a session that got nothing, see `sessionStarvedAt`; `none`: nothing was left to do. */
  readonly starvedMeasure?: 'none' | 'receiveMaximum' | 'mqtt311';
}

/** A subscription that has brought no message. */
export interface SilentSubscription {
  readonly topic: string;
  /** ISO 8601: when it was made, or the bridge started. */
  readonly since: string;
}

/** A subscription of the configuration, as the broker has it, and what it has brought in this run. */
export interface SubscriptionStatus {
  readonly topic: string;
  readonly qos: number;
  /** Absent: the broker has not granted it, or has not answered yet. */
  readonly grantedQos?: number;
  /** Delivered since the start, repetitions too. */
  readonly messages: number;
  /** ISO 8601; absent: none has come. */
  readonly lastMessageAt?: string;
}

/** Times are ISO 8601. */
export interface MqttStatus extends MqttFigures {
  /** The subscriptions that have brought no message in this run, the first 100 of them. */
  readonly silentSubscriptions: readonly SilentSubscription[];
  /** The first 100 of them. */
  readonly subscriptions: readonly SubscriptionStatus[];
  readonly reason?: string;
  readonly remedy?: string;
  readonly since?: string;
  /** Sessions that the broker had kept for the bridge and has no more, over all starts. */
  readonly sessionsLost: number;
  /** Times that the broker took what a session published and gave it nothing any more, over all starts. */
  readonly sessionsStarved: number;
  /** When that happened last; both are shown for a day. */
  readonly sessionLostAt?: string;
  readonly sessionStarvedAt?: string;
}

export interface BackupsStatus {
  readonly pendingFiles: number;
  readonly pendingRows: number;
  /** Rows set apart one by one that are tried again by themselves. */
  readonly heldFiles: number;
  readonly heldRows: number;
  readonly rejectedFiles: number;
  readonly rejectedRows: number;
  readonly undecodableFiles: number;
  readonly undecodableRows: number;
  /** Files whose rows go to destinations that the configuration does not name; absent: none. */
  readonly homeless?: { readonly files: number; readonly rows: number; readonly destinations: readonly string[] };
  /** The file that is being brought into Oracle. */
  readonly replaying?: { readonly file: string; readonly rows: number; readonly replayedRows: number } | undefined;
}

export interface OracleStatus {
  readonly state: (typeof ORACLE_STATES)[number];
  readonly reason?: Reason;
  readonly kind?: DatabaseErrorKind;
  readonly remedy?: string;
  /** Since when the state lasts, in ISO 8601. */
  readonly since?: string;
}

/** What waits in CSV files of rows that go to one destination. */
export type DestinationBackups = Pick<
  BackupsStatus,
  'pendingFiles' | 'pendingRows' | 'heldFiles' | 'heldRows' | 'rejectedFiles' | 'rejectedRows'
>;

/** A destination with its lane: state, reason, remedy and time as those of `oracle`. */
export interface DestinationStatus extends OracleStatus {
  readonly name: string;
  /** Absent where the configuration says none. */
  readonly table?: string;
  /** The configuration no longer names it. */
  readonly gone?: true;
  readonly counters: ValueCounters;
  readonly pending: number;
  readonly buffer: { readonly size: number; readonly capacity: number };
  readonly backups: DestinationBackups;
  readonly audit: Audit;
}

export type DiskDirectory = 'journal.dir' | 'backup.dir';

/** A filesystem that the bridge keeps values on. */
export interface DiskStatus {
  readonly directories: readonly DiskDirectory[];
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** `low`: soon full, by its room or by the forecast. */
  readonly state: 'ok' | 'low' | 'full';
  /** At the rate at which journal and backups grow on it; absent: they do not, or it would never be full. */
  readonly fullInSeconds?: number;
}

export interface JournalStatus {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly messages: number;
  readonly state: 'ok' | 'full' | 'failing';
  /** What there is no room within; absent unless it is full. */
  readonly fullBy?: 'maxBytes' | 'disk';
  /** When `maxBytes` is reached at the rate at which it grows; absent: it does not. */
  readonly fullInSeconds?: number;
}

/** A time in which the broker, a destination of Oracle, or the journal with its disk was not to be had. */
export interface Outage {
  readonly of: 'oracle' | 'broker' | 'journal';
  /** Of Oracle: the name of the destination. */
  readonly destination?: string;
  /** ISO 8601. */
  readonly began: string;
  /** ISO 8601; absent: it lasts. */
  readonly ended?: string;
  readonly seconds: number;
  /** Of the broker there is none. */
  readonly code?: string;
  /** What came first, in a few words. */
  readonly reason: string;
  /** Of Oracle: rows of the destination that went to backups meanwhile. */
  readonly rowsBackedUp?: number;
  /** The bridge was started anew while it lasted: it may have been over some time before that saw it. */
  readonly restarted?: true;
}

/** Of the tags of the last values, up to 100,000. */
export interface TagsStatus {
  /** Tags that are texts now and were numbers before. */
  readonly turnedIntoText: TurnedTags;
  readonly implausibleTimes: ImplausibleFigures;
}

/** The answer of `/api/status`. */
export interface Status {
  readonly bridgeId: string;
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly mqtt: MqttStatus;
  /** Of the destination that is worst off; `connectString` is shown without what could be a secret in it. */
  readonly oracle: OracleStatus & { readonly connectString?: string };
  /** The default first; those that are gone last. */
  readonly destinations: readonly DestinationStatus[];
  readonly counters: Counters;
  readonly buffer: { readonly size: number; readonly capacity: number };
  readonly journal: JournalStatus;
  /** One for each filesystem; empty until they were looked at. */
  readonly disks: readonly DiskStatus[];
  readonly backups: BackupsStatus;
  /** The newest of them first, and no more than 20; `/api/outages` has all that are kept. */
  readonly outages: readonly Outage[];
  readonly tags: TagsStatus;
  readonly rolling: {
    readonly windowSeconds: number;
    readonly avgBatchSize: number;
    readonly avgWriteLatencyMs: number;
    /** Batches in the window: averages of none are 0. */
    readonly batches: number;
  };
  /** The rates over the last 5 s. */
  readonly rates: RateFigures;
  /** In total, and balanced only where it is for each destination. */
  readonly audit: Audit;
  readonly actions: boolean;
  /** What a person should know, one sentence each; empty when all is well. */
  readonly problems: readonly string[];
  /** The same problems, each with what to do about it. */
  readonly advice: readonly Advice[];
}

/** A status before it is judged. */
export type StatusFacts = Omit<Status, 'problems' | 'advice'>;
