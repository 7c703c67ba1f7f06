import { describe, expect, it } from 'vitest';

import { Metrics } from '../../../src/ops/metrics.ts';
import { madeUpSources } from './made-up-sources.ts';

interface Exposition {
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  /** By name and labels as written. */
  readonly samples: ReadonlyMap<string, number>;
}

/** Reads the Prometheus text format 0.0.4; throws for a line that is none of it. */
function parseExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples = new Map<string, number>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const comment = /^# (?<kind>HELP|TYPE) (?<name>[a-zA-Z_:][\w:]*) (?<rest>.+)$/.exec(line)?.groups;
    const sample = /^(?<series>[a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (?<figure>\S+)$/.exec(line)?.groups;
    if (comment !== undefined) (comment['kind'] === 'HELP' ? helps : types).set(comment['name']!, comment['rest']!);
    else if (sample !== undefined) samples.set(sample['series']!, Number(sample['figure']));
    else throw new Error(`not a line of the text format: ${line}`);
  }
  return { types, helps, samples };
}

const familyOf = (series: string, types: ReadonlyMap<string, string>): string => {
  const name = series.replace(/\{.*$/, '');
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  return types.get(base) === 'histogram' ? base : name;
};

const scrape = async (metrics: Metrics): Promise<Exposition> => parseExposition(await metrics.text());

describe('Metrics', () => {
  it('gives every metric a help, a type, a prefix and the ending that its type asks for', async () => {
    const metrics = new Metrics(madeUpSources());
    metrics.countOracleError('ORA-00942');
    const { types, helps, samples } = await scrape(metrics);
    const families = new Set([...samples.keys()].map((series) => familyOf(series, types)));
    for (const family of families) {
      expect({ family, type: types.get(family), help: helps.get(family) }).toEqual({
        family: expect.stringMatching(/^(?:bridge|process|nodejs)_/),
        type: expect.stringMatching(/^(?:counter|gauge|histogram|summary)$/),
        help: expect.stringMatching(/\S/),
      });
    }
    const isMisnamed = (family: string) => (types.get(family) === 'counter') !== family.endsWith('_total');
    expect([...families].filter((family) => family.startsWith('bridge_') && isMisnamed(family))).toEqual([]);
    const ours = [...samples].filter(([series]) => series.startsWith('bridge_'));
    expect(ours.filter(([, figure]) => Number.isNaN(figure))).toEqual([]);
    expect(types.has('process_resident_memory_bytes')).toBe(true);
    // What is sampled would wake an idle process for it.
    const lags = [...types.keys()].filter((name) => name.startsWith('nodejs_eventloop_lag'));
    expect(lags).toEqual(['nodejs_eventloop_lag_seconds']);
    expect(metrics.contentType).toContain('text/plain');
  });

  it('tells each directory’s disk, and when it is full only while something grows', async () => {
    const sources = madeUpSources();
    const metrics = new Metrics(sources);
    const disk = { directories: ['journal.dir', 'backup.dir'], freeBytes: 4, totalBytes: 8, state: 'low' } as const;
    sources.disks = () => [{ ...disk, fullInSeconds: 60 }];
    const { samples: growing } = await scrape(metrics);
    sources.disks = () => [disk];
    const { samples } = await scrape(metrics);
    for (const directory of disk.directories) {
      expect(growing.get(`bridge_disk_full_in_seconds{directory="${directory}"}`)).toBe(60);
      expect(samples.has(`bridge_disk_full_in_seconds{directory="${directory}"}`)).toBe(false);
      expect(samples.get(`bridge_disk_free_bytes{directory="${directory}"}`)).toBe(4);
      expect(samples.get(`bridge_disk_low{directory="${directory}"}`)).toBe(1);
    }
  });

  it('reads counters and gauges at each scrape', async () => {
    const sources = madeUpSources();
    const metrics = new Metrics(sources);
    await scrape(metrics);
    Object.assign(sources.counters, {
      messagesReceived: 4,
      valuesReceived: 100,
      valuesWritten: 60,
      valuesBackedUp: 20,
    });
    Object.assign(sources.counters, { valuesRejected: 3, valuesDropped: 2, valuesFiltered: 1, valuesReplayed: 5 });
    sources.buffer = { size: 14, capacity: 1000 };
    sources.mqtt = () => ({
      connected: false,
      protocolVersion: 4,
      unackedMessages: 9,
      subscriptionProblems: [],
      sessionsLost: 2,
      sessionsStarved: 1,
    });
    sources.oracle = () => ({ state: 'down' });
    const { samples } = await scrape(metrics);
    expect(Object.fromEntries(samples)).toMatchObject({
      bridge_messages_received_total: 4,
      bridge_values_received_total: 100,
      bridge_values_written_total: 60,
      bridge_values_backed_up_total: 20,
      bridge_values_replayed_total: 5,
      bridge_values_rejected_total: 3,
      bridge_values_dropped_total: 2,
      bridge_values_filtered_total: 1,
      bridge_values_pending: 14,
      bridge_buffer_values: 14,
      bridge_buffer_capacity: 1000,
      bridge_mqtt_connected: 0,
      bridge_mqtt_sessions_lost_total: 2,
      bridge_mqtt_sessions_starved_total: 1,
      bridge_unacked_messages: 9,
      bridge_namesake: 0,
      'bridge_info{bridge_id="gateway-01"}': 1,
      bridge_oracle_connected: 0,
      'bridge_oracle_state{state="connected"}': 0,
      'bridge_oracle_state{state="down"}': 1,
      bridge_audit_balanced: 1,
      [`bridge_build_info{version="1.2.3",node="${process.version}"}`]: 1,
    });
  });

  it('shows an audit that does not balance', async () => {
    const sources = madeUpSources();
    sources.counters.valuesReceived = 1;
    expect((await scrape(new Metrics(sources))).samples.get('bridge_audit_balanced')).toBe(0);
  });

  it('observes rows, write time and lag of each batch, in seconds, and counts a time before zero as none', async () => {
    const metrics = new Metrics(madeUpSources());
    metrics.observeBatch(500, 20, 600);
    metrics.observeBatch(30, 4, -5000);
    const { samples } = await scrape(metrics);
    expect(Object.fromEntries(samples)).toMatchObject({
      bridge_batch_rows_sum: 530,
      bridge_batch_rows_count: 2,
      'bridge_batch_rows_bucket{le="50"}': 1,
      'bridge_batch_rows_bucket{le="500"}': 2,
      bridge_batch_write_duration_seconds_sum: 0.024,
      'bridge_batch_write_duration_seconds_bucket{le="0.005"}': 1,
      bridge_end_to_end_lag_seconds_sum: 0.6,
      'bridge_end_to_end_lag_seconds_bucket{le="0.01"}': 1,
      'bridge_end_to_end_lag_seconds_bucket{le="1"}': 2,
    });
  });

  it('counts errors by code and keeps the number of codes bounded', async () => {
    const metrics = new Metrics(madeUpSources());
    for (let n = 0; n < 80; n += 1) metrics.countOracleError(`ORA-${n}`);
    metrics.countOracleError('ORA-0');
    const { samples } = await scrape(metrics);
    const series = [...samples.keys()].filter((name) => name.startsWith('bridge_oracle_errors_total'));
    expect(series).toHaveLength(51);
    expect(samples.get('bridge_oracle_errors_total{code="ORA-0"}')).toBe(2);
    expect(samples.get('bridge_oracle_errors_total{code="other"}')).toBe(30);
  });

  it('keeps two bridges in one process apart', async () => {
    const [first, second] = [new Metrics(madeUpSources()), new Metrics(madeUpSources())];
    first.countOracleError('ORA-00942');
    expect(await second.text()).not.toContain('ORA-00942');
  });
});
