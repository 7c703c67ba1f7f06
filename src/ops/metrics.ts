import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import { DEFAULT_DESTINATION } from '../core/destination.ts';
import { collectStatus, type StatusSources } from './collect-status.ts';
import { DestinationFigures } from './destination-metrics.ts';
import { DiskFigures } from './disk-metrics.ts';
import { counter, gauge, type Figure } from './figures.ts';
import { ORACLE_STATES, type Status } from './status.ts';

const PREFIX = 'bridge_';

const FIGURES: readonly Figure<Status>[] = [
  counter('messages_received_total', 'Messages received', (s) => s.counters.messagesReceived),
  counter('messages_undecodable_total', 'Messages that no format could read', (s) => s.counters.messagesUndecodable),
  counter(
    'messages_skipped_total',
    'Messages that are no values for their subscription',
    (s) => s.counters.messagesSkipped,
  ),
  counter('messages_duplicate_total', 'Messages delivered again and not stored', (s) => s.counters.messagesDuplicate),
  counter(
    'messages_maybe_repeated_total',
    'Messages stored that may be repetitions',
    (s) => s.counters.messagesMaybeRepeated,
  ),
  counter('values_received_total', 'Tag values decoded from messages', (s) => s.counters.valuesReceived),
  counter('values_written_total', 'Tag values committed from the buffer', (s) => s.counters.valuesWritten),
  counter('values_backed_up_total', 'Tag values put into CSV backups', (s) => s.counters.valuesBackedUp),
  counter('values_replayed_total', 'Backed up values committed later', (s) => s.counters.valuesReplayed),
  counter(
    'values_already_there_total',
    'Tag values whose row the table had already',
    (s) => s.counters.valuesAlreadyThere,
  ),
  counter('values_rejected_total', 'Tag values refused as a single row', (s) => s.counters.valuesRejected),
  counter('values_dropped_total', 'Tag values evicted from a full buffer', (s) => s.counters.valuesDropped),
  counter('values_filtered_total', 'Tag values left out on purpose', (s) => s.counters.valuesFiltered),
  gauge('values_pending', 'Tag values received and not settled yet', (s) => s.audit.pending),
  gauge('audit_balanced', '1 when every received value is accounted for', (s) => Number(s.audit.balanced)),
  gauge('buffer_values', 'Tag values in the buffer', (s) => s.buffer.size),
  gauge('buffer_capacity', 'Tag values that the buffer can hold', (s) => s.buffer.capacity),
  gauge('journal_bytes', 'Size of the journal on disk', (s) => s.journal.bytes),
  gauge('journal_max_bytes', 'Size that the journal may grow to', (s) => s.journal.maxBytes),
  gauge('journal_taking', '1 when the journal takes messages, 0 when it is full or failing', (s) =>
    Number(s.journal.state === 'ok'),
  ),
  gauge('journal_messages', 'Messages in the journal', (s) => s.journal.messages),
  gauge('mqtt_connected', '1 when connected to the broker', (s) => Number(s.mqtt.connected)),
  counter('mqtt_sessions_lost_total', 'Sessions that the broker has lost', (s) => s.mqtt.sessionsLost),
  counter('mqtt_sessions_starved_total', 'Times the broker stopped to deliver', (s) => s.mqtt.sessionsStarved),
  gauge('namesake', '1 when another process runs as this bridge', (s) => Number(s.mqtt.namesake !== undefined)),
  gauge('notices_connected', '1 when notices can be published, or are switched off', (s) =>
    Number(s.mqtt.notices?.connected ?? true),
  ),
  gauge('notices_not_taken', 'Notices that the broker does not take', (s) => s.mqtt.notices?.notTaken ?? 0),
  gauge('unacked_messages', 'Messages that the broker waits to be acknowledged', (s) => s.mqtt.unackedMessages),
  gauge('oracle_connected', '1 when batches are written', (s) => Number(s.oracle.state === 'connected')),
  gauge('backup_pending_files', 'CSV backups that wait for Oracle', (s) => s.backups.pendingFiles),
  gauge('backup_pending_rows', 'Rows in CSV backups that wait for Oracle', (s) => s.backups.pendingRows),
  gauge('held_files', 'CSV files of held rows, tried again by themselves', (s) => s.backups.heldFiles),
  gauge('held_rows', 'Rows in CSV files of held rows', (s) => s.backups.heldRows),
  gauge('rejected_files', 'CSV files of rejected rows', (s) => s.backups.rejectedFiles),
  gauge('rejected_rows', 'Rows in CSV files of rejected rows', (s) => s.backups.rejectedRows),
  gauge('undecodable_files', 'CSV files of undecodable messages', (s) => s.backups.undecodableFiles),
  gauge('tags_turned_into_text', 'Tags that are texts now and were numbers', (s) => s.tags.turnedIntoText.count),
  gauge('tags_with_implausible_time', 'Tags whose last time can not be right', (s) => s.tags.implausibleTimes.tags),
  counter('implausible_times_total', 'Values whose time can not be right', (s) => s.tags.implausibleTimes.values),
  counter('tag_turns_into_text_total', 'Times a tag turned from number to text', (s) => s.tags.turnedIntoText.turns),
];

const ROW_BUCKETS = [1, 5, 10, 50, 100, 250, 500, 1000, 2500, 5000];
const WRITE_SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
const LAG_SECONDS_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** Codes come from the server: as many get a series of their own, the rest are `other`. */
const MAX_ERROR_CODES = 50;

/** What the library's timer for the event loop's lag gives; its lag at the scrape stays. */
const SAMPLED_LAGS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];
const SAMPLE_EVERY_MS = 2 ** 31 - 1;

/**
 * The process's own metrics but those that are sampled: their timer wakes a gateway a hundred times a second, also when
 * nothing comes (findings/prom-client-wakes.sh).
 */
function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: SAMPLE_EVERY_MS });
  for (const lag of SAMPLED_LAGS) registry.removeSingleMetric(`nodejs_eventloop_lag_${lag}_seconds`);
}

/**
 * What Prometheus scrapes. Counters and gauges are read from the status at the scrape; only the histograms are fed,
 * once a batch. The process's own metrics keep the names that Prometheus gives them everywhere (`process_…`,
 * `nodejs_…`).
 */
export class Metrics {
  readonly #sources: StatusSources;
  readonly #registry = new Registry();
  readonly #figures: readonly (readonly [Figure<Status>, Counter | Gauge])[];
  readonly #oracleState: Gauge<'state'>;
  readonly #oracleErrors: Counter<'code'>;
  readonly #errorCodes = new Set<string>();
  readonly #batchRows: Histogram;
  readonly #writeSeconds: Histogram;
  readonly #lagSeconds: Histogram;
  readonly #destinations: DestinationFigures;
  readonly #disks: DiskFigures;

  constructor(sources: StatusSources) {
    this.#sources = sources;
    const registers = [this.#registry];
    this.#figures = FIGURES.map((figure) => {
      const options = { name: PREFIX + figure.name, help: figure.help, registers };
      return [figure, figure.type === 'counter' ? new Counter(options) : new Gauge(options)];
    });
    this.#oracleState = new Gauge({
      name: `${PREFIX}oracle_state`,
      help: '1 for the state that writing to Oracle is in, 0 for the others',
      labelNames: ['state'],
      registers,
    });
    this.#oracleErrors = new Counter({
      name: `${PREFIX}oracle_errors_total`,
      help: 'Errors from the database or its driver',
      labelNames: ['code'],
      registers,
    });
    new Gauge({
      name: `${PREFIX}build_info`,
      help: '1, with the versions that run',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version: sources.version, node: process.version }, 1);
    new Gauge({
      name: `${PREFIX}info`,
      help: '1, with the id of the bridge, to be joined to the other metrics of its instance',
      labelNames: ['bridge_id'],
      registers,
    }).set({ bridge_id: sources.bridgeId }, 1);
    this.#batchRows = this.#histogram('batch_rows', 'Rows in a committed batch', ROW_BUCKETS);
    this.#writeSeconds = this.#histogram(
      'batch_write_duration_seconds',
      'Time from the first try of a batch to its commit',
      WRITE_SECONDS_BUCKETS,
    );
    this.#lagSeconds = this.#histogram(
      'end_to_end_lag_seconds',
      'Time from receipt to commit of the oldest value of a batch',
      LAG_SECONDS_BUCKETS,
    );
    this.#destinations = new DestinationFigures(registers, {
      writeSeconds: WRITE_SECONDS_BUCKETS,
      lagSeconds: LAG_SECONDS_BUCKETS,
    });
    this.#disks = new DiskFigures(registers);
    collectProcessMetrics(this.#registry);
  }

  /** Takes note of a committed batch; call once for each. Times that a jump of the clock made negative count as 0. */
  observeBatch(rows: number, latencyMs: number, lagMs: number, destination = DEFAULT_DESTINATION): void {
    this.#batchRows.observe(rows);
    this.#writeSeconds.observe(seconds(latencyMs));
    this.#lagSeconds.observe(seconds(lagMs));
    this.#destinations.observeBatch(destination, seconds(latencyMs), seconds(lagMs));
  }

  countOracleError(code: string, destination = DEFAULT_DESTINATION): void {
    if (this.#errorCodes.size < MAX_ERROR_CODES) this.#errorCodes.add(code);
    const shown = this.#errorCodes.has(code) ? code : 'other';
    this.#oracleErrors.inc({ code: shown });
    this.#destinations.countError(destination, shown);
  }

  /** All metrics in the Prometheus text format, as of one instant. */
  text(): Promise<string> {
    const status = collectStatus(this.#sources);
    for (const [figure, metric] of this.#figures) {
      metric.reset();
      metric.inc(figure.read(status));
    }
    this.#destinations.read(status.destinations);
    this.#disks.read(status.disks);
    for (const state of ORACLE_STATES) this.#oracleState.set({ state }, Number(state === status.oracle.state));
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: PREFIX + name, help, buckets, registers: [this.#registry] });
  }
}

function seconds(ms: number): number {
  return ms > 0 ? ms / 1000 : 0;
}
