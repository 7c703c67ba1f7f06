import type { StatusSources } from './collect-status.ts';
import type { DestinationFacts } from './destination-status.ts';
import type { Outage } from './status.ts';

/** How something that can be out is at one moment. */
export interface Sign extends Pick<Outage, 'of' | 'destination' | 'code'> {
  /**
   * - `well`: what outage there was is over;
   * - `unknown`: nothing is known yet;
   * - `failing`: it may pass; it is an outage where it lasts;
   * - `out`: it is one.
   */
  readonly state: 'well' | 'unknown' | 'failing' | 'out';
  /** Since when, by the wall clock; undefined: nobody has noted it. */
  readonly sinceMs?: number | undefined;
  readonly reason: string;
  /** Values that the destination has counted as backed up, over all starts. */
  readonly backedUp?: number;
}

export type SignSources = Pick<StatusSources, 'mqtt' | 'destinations' | 'journal' | 'disks'>;

/** A sign of each thing that can be out: the broker, the journal with its disk, each configured destination. */
export function signsOf(sources: SignSources): readonly Sign[] {
  const known = sources.destinations().filter(({ table }) => table !== undefined);
  return [brokerSign(sources), journalSign(sources), ...known.map((each) => destinationSign(each))];
}

function brokerSign({ mqtt }: SignSources): Sign {
  const { connected, reason = '', sinceMs } = mqtt();
  if (connected) return { of: 'broker', state: 'well', reason };
  return { of: 'broker', state: reason === '' ? 'unknown' : 'out', sinceMs, reason };
}

const JOURNAL_SIGNS = {
  full: { code: 'JOURNAL_FULL', reason: 'the journal has reached journal.maxBytes' },
  failing: { code: 'DISK_FAILS', reason: 'the disk of journal.dir refuses to write' },
  diskFull: { code: 'DISK_FULL', reason: 'the disk of journal.dir is full' },
} as const;

function journalSign(sources: SignSources): Sign {
  const journal = sources.journal();
  if (journal.state === 'ok') return { of: 'journal', state: 'well', reason: '' };
  const why = journal.fullBy === 'disk' ? 'diskFull' : journal.state;
  return { of: 'journal', state: 'out', ...JOURNAL_SIGNS[why] };
}

function destinationSign({ counters, name, reason, sinceMs, state }: DestinationFacts): Sign {
  return {
    of: 'oracle',
    destination: name,
    state: state === 'connected' ? 'well' : state === 'down' ? 'out' : reason === undefined ? 'unknown' : 'failing',
    sinceMs,
    ...(reason === undefined ? {} : { code: reason.code }),
    reason: reason?.message ?? '',
    backedUp: counters.valuesBackedUp,
  };
}
