import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

import { counter, gauge, type Figure } from './figures.ts';
import type { DestinationStatus } from './status.ts';

type DestinationFigure = Figure<DestinationStatus, number | undefined>;

const PREFIX = 'bridge_destination_';

const FIGURES: readonly DestinationFigure[] = [
  counter('values_received_total', 'Tag values decoded from messages', (d) => d.counters.valuesReceived),
  counter('values_written_total', 'Tag values committed from the buffer', (d) => d.counters.valuesWritten),
  counter(
    'values_already_there_total',
    'Tag values whose row the table had already',
    (d) => d.counters.valuesAlreadyThere,
  ),
  counter('values_backed_up_total', 'Tag values put into CSV backups', (d) => d.counters.valuesBackedUp),
  counter('values_replayed_total', 'Backed up values committed later', (d) => d.counters.valuesReplayed),
  counter('values_rejected_total', 'Tag values refused as a single row', (d) => d.counters.valuesRejected),
  counter('values_dropped_total', 'Tag values evicted from a full buffer', (d) => d.counters.valuesDropped),
  counter('values_filtered_total', 'Tag values left out on purpose', (d) => d.counters.valuesFiltered),
  gauge('values_pending', 'Tag values received and not settled yet', (d) => d.pending),
  gauge('audit_balanced', '1 when every received value is accounted for', (d) => Number(d.audit.balanced)),
  gauge('buffer_values', 'Tag values in the buffer', (d) => d.buffer.size),
  gauge('buffer_capacity', 'Tag values that the buffer can hold', (d) => d.buffer.capacity),
  gauge('connected', '1 when batches are written; none for one that is gone', (d) =>
    d.gone === true ? undefined : Number(d.state === 'connected'),
  ),
  gauge('gone', '1 when the configuration no longer names it', (d) => Number(d.gone === true)),
  gauge('backup_pending_files', 'CSV backups that wait for Oracle', (d) => d.backups.pendingFiles),
  gauge('backup_pending_rows', 'Rows in CSV backups that wait for Oracle', (d) => d.backups.pendingRows),
  gauge('held_rows', 'Rows in CSV files of held rows', (d) => d.backups.heldRows),
  gauge('rejected_rows', 'Rows in CSV files of rejected rows', (d) => d.backups.rejectedRows),
];

/**
 * The series of each destination, beside those of all together, whose names and labels stay as they are: so a sum over
 * those needs no thought of destinations.
 */
export class DestinationFigures {
  readonly #figures: readonly (readonly [DestinationFigure, Counter<'destination'> | Gauge<'destination'>])[];
  readonly #errors: Counter<'destination' | 'code'>;
  readonly #writeSeconds: Histogram<'destination'>;
  readonly #lagSeconds: Histogram<'destination'>;

  constructor(registers: Registry[], buckets: { readonly writeSeconds: number[]; readonly lagSeconds: number[] }) {
    const labelNames = ['destination'] as const;
    this.#figures = FIGURES.map((figure) => {
      const options = { name: PREFIX + figure.name, help: `${figure.help}, by destination`, labelNames, registers };
      return [figure, figure.type === 'counter' ? new Counter(options) : new Gauge(options)];
    });
    this.#errors = new Counter({
      name: `${PREFIX}oracle_errors_total`,
      help: 'Errors from the database or its driver, by destination',
      labelNames: ['destination', 'code'],
      registers,
    });
    this.#writeSeconds = new Histogram({
      name: `${PREFIX}batch_write_duration_seconds`,
      help: 'Time from the first try of a batch to its commit, by destination',
      labelNames,
      buckets: buckets.writeSeconds,
      registers,
    });
    this.#lagSeconds = new Histogram({
      name: `${PREFIX}end_to_end_lag_seconds`,
      help: 'Time from receipt to commit of the oldest value of a batch, by destination',
      labelNames,
      buckets: buckets.lagSeconds,
      registers,
    });
  }

  observeBatch(destination: string, writeSeconds: number, lagSeconds: number): void {
    this.#writeSeconds.observe({ destination }, writeSeconds);
    this.#lagSeconds.observe({ destination }, lagSeconds);
  }

  countError(destination: string, code: string): void {
    this.#errors.inc({ destination, code });
  }

  /** Makes counters and gauges what they are at this instant. */
  read(destinations: readonly DestinationStatus[]): void {
    for (const [figure, metric] of this.#figures) {
      metric.reset();
      for (const each of destinations) {
        const value = figure.read(each);
        if (value !== undefined) metric.inc({ destination: each.name }, value);
      }
    }
  }
}
