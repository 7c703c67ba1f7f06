import type { ValueCounters } from '../core/counters.ts';
import { adviceFor } from '../core/destination.ts';
import type { DatabaseErrorKind, Reason } from '../core/errors.ts';
import { auditCounters } from './audit.ts';
import { shortText } from './short-text.ts';
import type { DestinationBackups, DestinationStatus, OracleStatus, Status } from './status.ts';

/** A state other than `connected` has a reason, and perhaps a remedy; an empty remedy is none. */
export interface OracleFacts {
  readonly state: OracleStatus['state'];
  readonly reason?: Reason | undefined;
  readonly kind?: DatabaseErrorKind | undefined;
  readonly remedy?: string | undefined;
  /** Since when the state lasts, by the wall clock. */
  readonly sinceMs?: number | undefined;
}

/** A destination and its lane, as they are at one instant. */
export interface DestinationFacts extends OracleFacts {
  readonly name: string;
  /** Undefined: the configuration no longer names the destination. */
  readonly table: string | undefined;
  readonly counters: ValueCounters;
  /** Received values that are not settled. */
  readonly pending: number;
  readonly buffer: { readonly size: number; readonly capacity: number };
  readonly backups: DestinationBackups;
}

/** The worst first. */
const BY_GRAVITY: readonly OracleStatus['state'][] = ['down', 'retrying', 'connected'];

const MAX_NAME_LENGTH = 100;

/**
 * The state of the destination that is worst off, of those that the configuration names. Where others are better off,
 * or have other troubles, the reason says whose it is.
 */
export function worstOf(destinations: readonly DestinationFacts[]): OracleFacts {
  const known = destinations.filter(({ table }) => table !== undefined);
  const worst = BY_GRAVITY.map((state) => known.find((each) => each.state === state)).find(
    (each) => each !== undefined,
  );
  if (worst === undefined) return { state: 'retrying' };
  const { kind, reason, sinceMs, state } = worst;
  const named =
    reason === undefined || haveOneReason(known)
      ? reason
      : { code: reason.code, message: `${nameOf(worst)}: ${withoutRepetition(reason)}` };
  const remedy = haveOneReason(known) ? worst.remedy : remedyOf(worst);
  return { state, reason: named, kind, remedy, sinceMs };
}

/** The same holds up all of them, such as a database that is away: one of them is as good as the other. */
export function haveOneReason(
  destinations: readonly { readonly state: string; readonly reason?: Reason | undefined }[],
): boolean {
  const [first] = destinations;
  return destinations.every(({ reason, state }) => state === first?.state && reason?.code === first.reason?.code);
}

/** A destination as a sentence names it. */
export function nameOf({ name, table }: { readonly name: string; readonly table?: string | undefined }): string {
  const short = shortText(name, MAX_NAME_LENGTH);
  return table === undefined ? `destination ${short}` : `destination ${short} (table ${table})`;
}

export function destinationStatus(facts: DestinationFacts): DestinationStatus {
  const { backups, buffer, counters, name, pending, table } = facts;
  return {
    name,
    ...(table === undefined ? { gone: true } : { table }),
    ...oracleStatus({ ...facts, remedy: remedyOf(facts) }),
    counters: { ...counters },
    pending,
    buffer: { size: buffer.size, capacity: buffer.capacity },
    backups,
    audit: auditCounters(counters, pending),
  };
}

/** What is known of an error names the keys of the default destination. */
function remedyOf({ name, remedy, table }: DestinationFacts): string | undefined {
  return table === undefined || remedy === undefined ? remedy : adviceFor(name, remedy);
}

export function oracleStatus({ state, reason, kind, remedy = '', sinceMs }: OracleFacts): OracleStatus {
  return {
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(kind === undefined ? {} : { kind }),
    ...(remedy === '' ? {} : { remedy }),
    ...(sinceMs === undefined ? {} : { since: iso(sinceMs) }),
  };
}

/**
 * The status for a notice that is published every minute, as JSON: of the destinations only those that are not
 * connected, without their figures; of outages only those that last; of subscriptions only those that bring nothing.
 * Where the database is, is left out: more may read the broker than the page.
 */
export function shortStatus(status: Status): object {
  const away = status.destinations.filter(({ state }) => state !== 'connected');
  const destinations = away.map(({ gone, name, reason, since, state, table }) => {
    return { name, table, gone, state, reason, since };
  });
  const outages = status.outages.filter(({ ended }) => ended === undefined);
  const mqtt = { ...status.mqtt, subscriptions: undefined };
  const oracle = { ...status.oracle, connectString: undefined };
  return { ...status, mqtt, oracle, destinations, outages };
}

export function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** The reason's code stands beside the message. */
function withoutRepetition({ code, message }: Reason): string {
  return message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
}
