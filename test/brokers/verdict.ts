import type { TagRow } from '../support/tag-table.ts';
import type { RealBroker } from './broker.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import type { Payloads } from './payloads.ts';
import type { Publisher } from './publisher.ts';

export interface Verdict {
  /** Messages that the broker has acknowledged to the publisher. */
  readonly published: number;
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  /** Of the lost ones, those that the broker never brought again although the bridge had acknowledged none of them. */
  readonly lostByBroker: number;
}

/** Holds what the broker owes against the rows of the table. Equal payloads can only be counted. */
export function judge(
  { owed, maybe }: Pick<Publisher, 'owed' | 'maybe'>,
  rows: readonly TagRow[],
  payloads: Payloads,
  ledger: Pick<DeliveryLedger, 'acknowledgements' | 'acknowledgedAgain' | 'overwritten' | 'wasAcknowledged'>,
  { overwritesInFlight }: Pick<RealBroker, 'overwritesInFlight'> = {},
): Verdict {
  const counted = { published: owed.size, rows: rows.length };
  if (payloads.kind === 'equal') {
    const lost = Math.max(0, owed.size - rows.length);
    const again = overwritesInFlight === true ? ledger.acknowledgedAgain : 0;
    const unacknowledged = Math.max(0, owed.size - (ledger.acknowledgements - again));
    const forgotten = overwritesInFlight === true ? ledger.overwritten : 0;
    const doubled = Math.max(0, rows.length - owed.size - maybe.size);
    return { ...counted, lost, doubled, lostByBroker: Math.min(lost, Math.max(unacknowledged, forgotten)) };
  }
  const found = new Set<number | undefined>(rows.map(({ name }) => payloads.numberOf(name)));
  const lost = [...owed].filter((number) => !found.has(number));
  const lostByBroker = lost.filter((number) => !ledger.wasAcknowledged(number)).length;
  return { ...counted, lost: lost.length, doubled: rows.length - found.size, lostByBroker };
}
