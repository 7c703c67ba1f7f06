import { describe, expect, it } from 'vitest';

import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Config } from '../../../src/config/config.ts';
import { destinationsOf } from '../../../src/config/destinations.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { planReload } from '../../../src/config/reload.ts';
import { furtherColumns } from '../../../src/core/columns.ts';

function load(oracle: object, subscriptions: readonly object[] = [{ topic: 'a' }], env = {}): Config {
  const readFile = (): string => JSON.stringify({ oracle, mqtt: { subscriptions } });
  return loadConfig({ files: ['bridge.json'], env, readFile, need: 'any' });
}

function errorsOf(...given: Parameters<typeof load>): string[] {
  try {
    load(...given);
  } catch (thrown) {
    if (thrown instanceof ConfigErrors) return thrown.errors.map(({ path, message }) => `${path}: ${message}`);
    throw thrown;
  }
  return [];
}

describe('the destinations', () => {
  it('are the default alone when none are given', () => {
    const { oracle } = load({});
    const { columns } = oracle;
    expect(destinationsOf(oracle)).toEqual([
      { name: 'default', table: 'TAG_DATA', columns, valueType: 'binary_double', onDuplicate: 'reject' },
    ]);
  });

  it('take from oracle what they leave out, of the columns each by itself', () => {
    const { oracle } = load({
      columns: { plcCode: 'plc', text: 'txt' },
      valueType: 'number',
      onDuplicate: 'ignore',
      destinations: {
        alarms: { table: 'ALARM_LOG', columns: { text: 'MSG', plcCode: '' }, onDuplicate: 'reject' },
        latest: { table: 'plant.latest', valueType: 'binary_double', onDuplicate: 'update' },
        more: { table: 'MORE' },
      },
    });
    const { columns } = oracle;
    expect(destinationsOf(oracle)).toEqual([
      { name: 'default', table: 'TAG_DATA', columns, valueType: 'number', onDuplicate: 'ignore' },
      {
        name: 'alarms',
        table: 'ALARM_LOG',
        columns: { ...columns, text: 'MSG', plcCode: '' },
        valueType: 'number',
        onDuplicate: 'reject',
      },
      { name: 'latest', table: 'plant.latest', columns, valueType: 'binary_double', onDuplicate: 'update' },
      { name: 'more', table: 'MORE', columns, valueType: 'number', onDuplicate: 'ignore' },
    ]);
    expect(Object.isFrozen(oracle.destinations['alarms']?.columns)).toBe(true);
  });

  it('may have names that objects have members of', () => {
    const { oracle } = load({ destinations: { constructor: { table: 'A' }, toString: { table: 'B' } } });
    expect(destinationsOf(oracle).map(({ name, table }) => [name, table])).toEqual([
      ['default', 'TAG_DATA'],
      ['constructor', 'A'],
      ['toString', 'B'],
    ]);
    const unknown = errorsOf({}, [{ topic: 'a', to: 'constructor' }]);
    expect(unknown).toEqual([
      'mqtt.subscriptions: [0].to must be "default", as oracle.destinations has no other, not "constructor"',
    ]);
  });

  it('have the further columns of oracle.columns that they do not leave out, and others of their own', () => {
    const { oracle } = load({
      columns: { source: "'gw'", line: '{2}' },
      destinations: { alarms: { table: 'A', columns: { line: '', source: "'alarms'", at: '{topic}', text: 'MSG' } } },
    });
    const [own, alarms] = destinationsOf(oracle);
    const further = (columns: object): unknown => furtherColumns({ columns: { ...columns } }).map(({ name }) => name);
    expect([further(own!.columns), further(alarms!.columns)]).toEqual([
      ['source', 'line'],
      ['source', 'at'],
    ]);
    expect(alarms!.columns).toMatchObject({ source: "'alarms'", text: 'MSG', quality: 'quality' });
  });

  it('have the fields that mappings fill in them, each its own', () => {
    const rows = [
      { tag: 't', value: 'v', columns: { batch: '/b' } },
      { tag: 'a', value: 'v', to: 'alarms', columns: { level: { path: '/l', type: 'number' } } },
      { tag: 'c', value: 'v', to: 'constructor', columns: { batch: { path: '/b', type: 'time' } } },
    ];
    const { oracle } = load({ destinations: { constructor: { table: 'C' }, alarms: { table: 'A' } } }, [
      { topic: 'x', format: 'json', json: { rows } },
    ]);
    expect(destinationsOf(oracle).map(({ name, fields }) => [name, fields])).toEqual([
      ['default', [{ name: 'batch', holds: 'text' }]],
      ['constructor', [{ name: 'batch', holds: 'time' }]],
      ['alarms', [{ name: 'level', holds: 'number' }]],
    ]);
  });

  it.each<[row: object, columns: object, message: string]>([
    [
      { to: 'alrams' },
      {},
      'mqtt.subscriptions: [0] has a row whose "to" must be "default" or "alarms", not "alrams" (did you mean "alarms"?)',
    ],
    [
      { to: 'alarms', columns: { MSG: '/m' } },
      { text: 'msg' },
      'mqtt.subscriptions: must not fill the column MSG by a mapping: the destination "alarms" has it already',
    ],
    [
      { to: 'alarms', columns: { level: '/m', LEVEL: '/n' } },
      {},
      'mqtt.subscriptions: must write the name of a column alike in all mappings: level, LEVEL',
    ],
  ])('are asked what a row of a mapping fills in them: %o', (row, columns, message) => {
    const json = { rows: [{ tag: 't', value: 'v', ...row }] };
    const section = { destinations: { alarms: { table: 'A', columns } } };
    expect(errorsOf(section, [{ topic: 'x', format: 'json', json }])).toEqual([message]);
  });

  it('come from the environment as JSON', () => {
    const env = { BRIDGE_ORACLE_DESTINATIONS: '{"alarms": {"table": "A"}}', BRIDGE_ORACLE_ONDUPLICATE: 'update' };
    const { oracle } = load({ destinations: { others: { table: 'B' } } }, [{ topic: 'a', to: 'alarms' }], env);
    expect(destinationsOf(oracle).map(({ name, onDuplicate }) => [name, onDuplicate])).toEqual([
      ['default', 'update'],
      ['alarms', 'update'],
    ]);
    expect(errorsOf({}, undefined, { BRIDGE_ORACLE_DESTINATIONS: '{"alarms"}' })).toEqual([
      'oracle.destinations: is not JSON: line 1, column 10: expected : after the key (from BRIDGE_ORACLE_DESTINATIONS)',
    ]);
  });

  it.each<[unknown, string]>([
    [5, 'oracle.destinations: must be an object, such as { "alarms": { "table": "ALARM_LOG" } }, not 5'],
    [[], 'oracle.destinations: must be an object, such as { "alarms": { "table": "ALARM_LOG" } }, not a list'],
    [{ default: { table: 'A' } }, 'oracle.destinations.default: must have another name: "default" is the table of'],
    [{ 'a.b': { table: 'A' } }, 'oracle.destinations: has a destination whose name must be a name: a letter, then'],
    [{ '1a': { table: 'A' } }, 'or "-", not "1a"'],
    [{ [`a${'b'.repeat(64)}`]: { table: 'A' } }, 'oracle.destinations: has a destination whose name must be a name'],
    [{ a: 'T' }, 'oracle.destinations.a: must be an object, such as { "table": "ALARM_LOG" }, not "T"'],
    [{ a: {} }, 'oracle.destinations.a.table: must be the name of a table'],
    [{ a: { table: 'a b' } }, 'oracle.destinations.a.table: must be the name of a table: letters, digits'],
    [{ a: { table: 'A', colums: {} } }, 'oracle.destinations.a.colums: is not a known key (did you mean "columns"?)'],
    [{ a: { table: 'A', columns: [] } }, 'oracle.destinations.a.columns: must be an object, such as { "text": "MSG" }'],
    [{ a: { table: 'A', columns: { txt: 'X' } } }, 'oracle.destinations.a.columns.txt: is not a known key (did you'],
    [
      { a: { table: 'A', columns: { source: 'gw' } } },
      "oracle.destinations.a.columns.source: must be a text in single quotes such as 'gateway-01', a number, or",
    ],
    [
      { a: { table: 'A', columns: { TAG_NAME: "'x'" } } },
      'a.columns.TAG_NAME must not be the same column as its tagName, "TAG_NAME"; what is left out is as in',
    ],
    [
      { a: { table: 'A', columns: { value: '' } } },
      'oracle.destinations.a.columns.value: must be the name of a column',
    ],
    [{ a: { table: 'A', valueType: 'float' } }, 'oracle.destinations.a.valueType: must be "binary_double" or "number"'],
    [
      { a: { table: 'A', onDuplicate: 'replace' } },
      'oracle.destinations.a.onDuplicate: must be "reject", "ignore" or "update", not "replace"',
    ],
    [{ a: { table: '"TAG_DATA"' } }, 'oracle.destinations: a.table must not be the same as oracle.table, "TAG_DATA"'],
    [
      { a: { table: 'x.t' }, b: { table: 'X.T' } },
      'oracle.destinations: b.table must not be the same as oracle.destinations.a.table, "x.t"',
    ],
    [{ a: { table: 'mqtt_bridge_ledger' } }, 'oracle.destinations: a.table must not be the same as oracle.ledgerTable'],
    [
      { a: { table: 'A', columns: { text: 'TAG_VALUE' } } },
      'oracle.destinations: a.columns.text must not be the same column as its value, "TAG_VALUE"; what is left out is',
    ],
  ])('are refused as %j', (destinations, error) => {
    const errors = errorsOf({ destinations });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(error);
  });

  it('must be there when a subscription names them', () => {
    const oracle = { destinations: { alarms: { table: 'A' }, energy: { table: 'E' } } };
    expect(errorsOf(oracle, [{ topic: 'a', to: 'default' }, { topic: 'b', to: 'energy' }, { topic: 'c' }])).toEqual([]);
    expect(errorsOf(oracle, [{ topic: 'a' }, { topic: 'b', to: 'alarm' }])).toEqual([
      'mqtt.subscriptions: [1].to must be "default", "alarms" or "energy", not "alarm" (did you mean "alarms"?)',
    ]);
    expect(errorsOf(oracle, [{ topic: 'a', to: '' }])).toEqual([
      'mqtt.subscriptions[0].to: must be a name: a letter, then up to 63 letters, digits, "_" or "-", not ""',
    ]);
  });

  it('need a restart, and so does a subscription that is for a new one', () => {
    const runs = { connectString: 'db:1521/x', user: 'u', password: 'p' };
    const running = load(runs);
    const oracle = { ...runs, destinations: { alarms: { table: 'A' } } };
    expect(planReload(running, load(oracle))).toMatchObject({ applied: {}, needRestart: ['oracle.destinations'] });
    const wanted = load(oracle, [{ topic: 'a', to: 'alarms' }]);
    expect(() => planReload(running, wanted)).toThrow('[0].to must be "default"');
    expect(() => planReload(running, wanted)).toThrow('oracle.destinations would need a restart');
  });
});
