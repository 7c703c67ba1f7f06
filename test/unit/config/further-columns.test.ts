import { describe, expect, it } from 'vitest';

import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Config } from '../../../src/config/config.ts';
import { destinationsOf } from '../../../src/config/destinations.ts';
import { loadConfig, type ConfigSources } from '../../../src/config/load.ts';
import { detailNeeds } from '../../../src/core/columns.ts';
import { planReload } from '../../../src/config/reload.ts';

const ORACLE = { connectString: 'db:1521/x', user: 'u', password: 'p' };

/** One configuration file for each of the oracle sections. */
function load(sections: readonly object[], sources: Partial<ConfigSources> = {}, more: object = {}): Config {
  const files = sections.map((section) => JSON.stringify({ ...more, oracle: { ...ORACLE, ...section } }));
  return loadConfig({
    files: files.map((_file, i) => String(i)),
    env: {},
    readFile: (name) => files[Number(name)]!,
    ...sources,
  });
}

function errorsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ConfigErrors) return thrown.errors.map(({ path, message }) => `${path}: ${message}`);
    throw thrown;
  }
  return [];
}

const withColumns = (columns: object): string[] => errorsOf(() => load([{ columns }]));

describe('further columns in oracle.columns', () => {
  it('stand beside the others, in the order in which they were given', () => {
    const { columns } = load([{ columns: { source: "'gw'", text: '', line: '{2}' } }]).oracle;
    expect(Object.entries(columns).slice(-2)).toEqual([
      ['source', "'gw'"],
      ['line', '{2}'],
    ]);
    expect([columns.text, columns.tagName]).toEqual(['', 'tag_name']);
  });

  it('are completed by later files, the environment and flags, one by one', () => {
    const { columns } = load(
      [{ columns: { a: "'1'", b: "'1'", c: "'1'", d: "'1'" } }, { columns: { b: "'2'" }, furtherColumns: { c: '' } }],
      {
        env: { BRIDGE_ORACLE_FURTHERCOLUMNS: JSON.stringify({ d: '{topic}' }) },
        flags: { 'oracle.furtherColumns': JSON.stringify({ e: '5' }) },
      },
    ).oracle;
    expect(columns).toMatchObject({ a: "'1'", b: "'2'", c: '', d: '{topic}', e: '5' });
  });

  it.each([
    [{ recievedAt: 'received_at' }, 'oracle.columns.recievedAt: is not a known key (did you mean "receivedAt"?); as'],
    [{ source: 'gateway-01' }, "oracle.columns.source: must be a text in single quotes such as 'gateway-01'"],
    [{ source: 5 }, 'oracle.columns.source: must be a text in single quotes'],
    [{ line: '{tpoic}' }, 'oracle.columns.line: must not have {tpoic} in it, which is no part (did you mean "topic"?)'],
    [{ line: 'a {2' }, 'oracle.columns.line: must have { and } in pairs'],
    [{ 'a b': "'x'" }, 'oracle.columns.a b: is neither a known key nor the name of a column'],
    [{ TAG_NAME: "'x'" }, 'oracle.furtherColumns: must not have the column TAG_NAME, which oracle.columns has already'],
    [
      { a: "'x'", '"A"': "'y'" },
      'oracle.furtherColumns: must not have the column "A", which oracle.columns has already',
    ],
  ])('%o: the error says where and what is allowed', (columns, message) => {
    const errors = withColumns(columns);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(message);
  });

  it('that change need a restart', () => {
    const plan = planReload(load([{ columns: { a: "'1'" } }]), load([{ columns: { a: "'2'" } }]));
    expect(plan.needRestart).toEqual(['oracle.furtherColumns']);
    expect(plan.config.oracle.columns['a']).toBe("'1'");
  });
});

describe('further columns of a destination', () => {
  it('are completed from oracle, one by one', () => {
    const columns = { a: "'1'", b: "'1'" };
    const { oracle } = load([
      { columns, destinations: { alarms: { table: 'A', columns: { b: '', c: '{2}', text: 'MSG' } } } },
    ]);
    expect(destinationsOf(oracle)[1]?.columns).toMatchObject({ a: "'1'", b: '', c: '{2}', text: 'MSG' });
    expect(detailNeeds(destinationsOf(oracle))).toEqual({ origin: true, qualityCode: false });
  });

  it('are refused with their place where they mean nothing', () => {
    const alarms = { table: 'A', columns: { qualty: 'q', line: '{x}', TAG_NAME: "'x'" } };
    expect(errorsOf(() => load([{ destinations: { alarms } }]))).toEqual([
      expect.stringContaining(
        'oracle.destinations.alarms.columns.qualty: is not a known key (did you mean "quality"?)',
      ),
      expect.stringContaining('oracle.destinations.alarms.columns.line: must not have {x} in it'),
    ]);
    expect(errorsOf(() => load([{ destinations: { alarms: { table: 'A', columns: { TAG_NAME: "'x'" } } } }]))).toEqual([
      expect.stringContaining(
        'oracle.destinations: alarms.columns.TAG_NAME must not be the same column as its tagName',
      ),
    ]);
  });

  it('must be there where the rows of a mapping go', () => {
    const rows = [{ tag: 't', to: 'alrams' }];
    const mqtt = { subscriptions: [{ topic: 'a', format: 'json', json: { rows } }] };
    expect(errorsOf(() => load([{ destinations: { alarms: { table: 'A' } } }], {}, { mqtt }))).toEqual([
      expect.stringContaining('"alrams" (did you mean "alarms"?)'),
    ]);
  });
});

describe('columns that mappings fill', () => {
  const subscription = (topic: string, columns: object, to?: string): object => {
    const row = { tag: 't', columns, ...(to === undefined ? {} : { to }) };
    return { topic, format: 'json', json: { rows: [row] } };
  };
  const configOf = (subscriptions: readonly object[], columns = {}): Config =>
    load([{ columns, destinations: { alarms: { table: 'ALARM_LOG' } } }], {}, { mqtt: { subscriptions } });

  it('are known by their destination, each once', () => {
    const { oracle } = configOf([
      subscription('a', { batch: '/b', temp: { path: '/t', type: 'number' } }),
      subscription('b', { batch: '/c' }),
      subscription('c', { other: '/c' }, 'alarms'),
    ]);
    expect(oracle.fields).toEqual([
      { name: 'batch', holds: 'text' },
      { name: 'temp', holds: 'number' },
    ]);
    expect(oracle.destinationFields).toEqual({ alarms: [{ name: 'other', holds: 'text' }] });
  });

  it('must be no columns of oracle.columns, and of one type', () => {
    const batch = subscription('a', { batch: '/b' });
    expect(errorsOf(() => configOf([batch], { BATCH: "'x'" }))).toEqual([
      'mqtt.subscriptions: must not fill the column batch by a mapping: oracle.columns has it',
    ]);
    const other = subscription('b', { batch: { path: '/b', type: 'time' } });
    expect(errorsOf(() => configOf([batch, other]))).toEqual([
      'mqtt.subscriptions: must fill the column batch with values of one "type" in all mappings',
    ]);
  });

  it('may be left out by a reload, and not added', () => {
    const both = configOf([subscription('a', { batch: '/b', temp: '/t' })]);
    const one = configOf([subscription('a', { batch: '/b' })]);
    const { config } = planReload(both, one);
    expect(config.oracle.fields).toEqual(both.oracle.fields);
    expect(planReload(config, both).applied['mqtt.subscriptions']).toBe('changed a');
    expect(errorsOf(() => planReload(one, both))).toEqual([
      'mqtt.subscriptions: must not fill a column that it did not at the start, temp; that needs a restart',
    ]);
  });
});
