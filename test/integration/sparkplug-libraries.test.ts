/*
 * The bridge beside libraries of Python and Java: pysparkplug, mqtt-spb-wrapper with the helper of Eclipse Tahu that it
 * carries, and Tahu's edge client. What they send is not always what the specification asks for; what they were told to
 * send is in the table.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findInstalled, type Found, type Launch } from '../publishers/packages.ts';
import { Publisher } from '../publishers/publisher.ts';
import { mosquittoMissing } from '../support/mosquitto.ts';
import { SparkplugPlant, type PlantRow } from '../support/sparkplug-plant.ts';
import { until } from '../support/until.ts';

const TIME_MS = 1_700_000_000_500;
const VERIFIED_MS = 40_000;

const pysparkplug = await findInstalled('pysparkplug');
const wrapper = await findInstalled('mqtt-spb-wrapper');
const tahu = await findInstalled('tahu');

/** Name, type and value, as JSON. */
type Metric = readonly [name: string, type: string, json: string];

const listOf = (metrics: readonly Metric[]): string =>
  `[${metrics.map(([name, type, json]) => `["${name}","${type}",${json}]`).join(',')}]`;

const good = (name: string, value: number | null, text: string | null = null): PlantRow => [
  name,
  value,
  text,
  TIME_MS,
  'GOOD',
];
const byName = (rows: readonly PlantRow[]): PlantRow[] => rows.toSorted(([a], [b]) => (a < b ? -1 : 1));
const stale = (name: string): unknown => [name, null, null, expect.any(Number), 'STALE'];

/** Values at the ends of what their types hold, with the number and the text that are to be in the table. */
const VALUES: readonly (readonly [...Metric, value: number | null, text?: string])[] = [
  ['i8', 'INT8', '-1', -1],
  ['i8min', 'INT8', '-128', -128],
  ['i16', 'INT16', '-32768', -32_768],
  ['i32', 'INT32', '-2147483648', -2_147_483_648],
  ['i64', 'INT64', '-9223372036854775807', -(2 ** 63), '-9223372036854775807'],
  ['i64small', 'INT64', '-2', -2],
  ['u8', 'UINT8', '255', 255],
  ['u16', 'UINT16', '65535', 65_535],
  ['u32', 'UINT32', '4294967295', 4_294_967_295],
  ['u64', 'UINT64', '18446744073709551615', 2 ** 64, '18446744073709551615'],
  ['u64safe', 'UINT64', '9007199254740993', 9_007_199_254_740_992, '9007199254740993'],
  ['f', 'FLOAT', '0.1', Math.fround(0.1)],
  ['d', 'DOUBLE', '-1.5e-300', -1.5e-300],
  ['yes', 'BOOLEAN', 'true', 1],
  ['no', 'BOOLEAN', 'false', 0],
  ['text', 'STRING', '"Größe 12,5"', null, 'Größe 12,5'],
];
/** What pysparkplug alone can send. */
const MORE: typeof VALUES = [
  ['nan', 'DOUBLE', 'NaN', null, 'NaN'],
  ['inf', 'FLOAT', '-Infinity', null, '-Infinity'],
  ['null', 'INT16', 'null', null],
  ['when', 'DATETIME', '1700000000500', 1_700_000_000_500, '2023-11-14T22:13:20.500Z'],
  ['uuid', 'UUID', '"123e4567-e89b-12d3-a456-426614174000"', null, '123e4567-e89b-12d3-a456-426614174000'],
  ['bytes', 'BYTES', '"AP8B"', null, 'AP8B'],
  ['i8s', 'INT8_ARRAY', '[-1,127]', null, '[-1,127]'],
  ['u64s', 'UINT64_ARRAY', '[18446744073709551615,0]', null, '[18446744073709551615,0]'],
  ['doubles', 'DOUBLE_ARRAY', '[0.5,-2]', null, '[0.5,-2]'],
  ['bools', 'BOOLEAN_ARRAY', '[true,false,true]', null, '[true,false,true]'],
  ['strings', 'STRING_ARRAY', '["a","ä"]', null, '["a","ä"]'],
];

const metricsOf = (values: typeof VALUES): Metric[] => values.map(([name, type, json]) => [name, type, json]);
const rowsOf = (values: typeof VALUES, source: string, prefix = ''): PlantRow[] =>
  values.map(([name, , , value, text = null]) => good(`${source}.${prefix}${name}`, value, text));

/** Types by the names that the specification has for them. */
const SPECIFIED: Readonly<Record<string, string>> = {
  BOOLEAN: 'Boolean',
  FLOAT: 'Float',
  DOUBLE: 'Double',
  STRING: 'String',
  DATETIME: 'DateTime',
};
const specified = (values: typeof VALUES): Metric[] =>
  metricsOf(values).map(([name, type, json]) => [
    name,
    SPECIFIED[type] ?? type.replace('UINT', 'UInt').replace('INT', 'Int'),
    json,
  ]);

const reasonOf = (found: Found): string => mosquittoMissing ?? ('missing' in found ? found.missing : '');

function describeWith(name: string, found: Found, tests: (launch: Launch) => void): void {
  const reason = reasonOf(found);
  describe.skipIf(reason !== '')(`the bridge beside ${name}${reason === '' ? '' : ` (skipped: ${reason})`}`, () => {
    tests('launch' in found ? found.launch : { command: '', args: [], env: {} });
  });
}

let plant: SparkplugPlant;
const publishers: Publisher[] = [];

beforeEach(async () => {
  plant = await SparkplugPlant.start();
});

afterEach(async () => {
  for (const publisher of publishers.splice(0)) await publisher.kill();
  await plant.stop();
});

function start(launch: Launch): Publisher {
  const publisher = new Publisher(launch);
  publishers.push(publisher);
  return publisher;
}

const place = (port: number): string => `"host":"127.0.0.1","port":${port}`;

describeWith('pysparkplug', pysparkplug, (launch) => {
  const at = `"timeMs":${TIME_MS}`;

  async function connect(node: Publisher, name: string, metrics: readonly Metric[], devices = ''): Promise<void> {
    const named = `"group":"G","node":"${name}",${place(plant.proxy.port)},${at}`;
    await node.do(
      'connect',
      `{${named},"metrics":${listOf(metrics)}${devices === '' ? '' : `,"devices":{${devices}}`}}`,
    );
  }

  it('writes the values of each type as they were published, in births and in data', async () => {
    const all = [...VALUES, ...MORE];
    const node = start(launch);
    await connect(node, 'P', metricsOf(all), `"D":${listOf([['t', 'INT16', '-3']])}`);
    expect(await plant.untilRows(all.length + 1)).toEqual([...rowsOf(all, 'G/P'), good('G/P/D.t', -3)]);
    await node.do('update', `{${at},"metrics":${listOf(metricsOf(all))}}`);
    await node.do('updateDevice', `{"device":"D",${at},"metrics":${listOf([['t', 'INT16', '-4']])}}`);
    const rows = await plant.untilRows(2 * all.length + 2);
    expect(rows.slice(all.length + 1)).toEqual([...rowsOf(all, 'G/P'), good('G/P/D.t', -4)]);
    await node.do('deregister', '{"device":"D"}');
    expect((await plant.untilRows(2 * all.length + 3)).at(-1)).toEqual(stale('G/P/D.t'));
    expect(plant.requests('P')).toBe(0);
  });

  it('does not take the will of an old connection, which comes after the new birth, for the death of the node', async () => {
    const node = start(launch);
    const metric = (value: number): Metric[] => [['a', 'INT32', String(value)]];
    await connect(node, 'L', metric(-1));
    await plant.untilRows(1);
    // It connects again under a client id that the broker makes up, so that nothing takes the old connection over.
    plant.proxy.leave();
    expect(await plant.untilRows(2)).toEqual([good('G/L.a', -1), good('G/L.a', -1)]);
    plant.proxy.endLeft();
    await until('a request, as the will is another life’s', () => plant.requests('L') === 1);
    // This library leaves it to the application to answer. Data are an answer too.
    await node.do('update', `{${at},"metrics":${listOf(metric(-2))}}`);
    expect(await plant.untilRows(3)).toEqual([good('G/L.a', -1), good('G/L.a', -1), good('G/L.a', -2)]);
    await plant.bridge.untilStatus('all to be settled', ({ journal }) => journal.messages === 0);
    expect((await plant.rows()).filter(([, , , , quality]) => quality === 'STALE')).toEqual([]);
  });

  it('takes its clean end, which tells another bdSeq than the birth, for a death once it is silent', async () => {
    const node = start(launch);
    await connect(node, 'E', [['a', 'INT32', '1']], `"D":${listOf([['t', 'INT16', '-3']])}`);
    await plant.untilRows(2);
    await node.do('disconnect');
    await until('a request', () => plant.requests('E') === 1);
    expect(await plant.rows()).toHaveLength(2);
    const rows = await until(
      'stale rows',
      async () => {
        const found = await plant.rows();
        return found.length > 3 ? found : undefined;
      },
      VERIFIED_MS,
    );
    expect(rows.slice(2)).toEqual([stale('G/E.a'), stale('G/E/D.t')]);
  }, 90_000);
});

describeWith('mqtt-spb-wrapper', wrapper, (launch) => {
  const set = (metrics: readonly Metric[]): string => `{"timeMs":${TIME_MS},"metrics":${listOf(metrics)}}`;

  it('writes the values of each type as they were published, under other names in births than in data', async () => {
    const node = start(launch);
    await node.do('node', `{"group":"G","node":"W",${place(plant.broker.port)}}`);
    await node.do('set', set(specified(VALUES)));
    await node.do('connect');
    await node.do('birth');
    // Its request for births is a metric, too: `CMD/Node Control/Rebirth`.
    const births = await plant.untilRows(VALUES.length + 1);
    expect(births.slice(0, -1)).toEqual(rowsOf(VALUES, 'G/W', 'DATA/'));
    await node.do('set', set(specified(VALUES)));
    await node.do('data');
    const rows = await plant.untilRows(2 * VALUES.length + 1);
    expect(rows.slice(VALUES.length + 1)).toEqual(rowsOf(VALUES, 'G/W'));
    const { counters } = await plant.bridge.status();
    expect(counters.messagesUndecodable).toBe(0);
  });

  it('takes the will of a device that connects by itself for its death', async () => {
    const device = start(launch);
    await device.do('device', `{"group":"G","node":"W","device":"D",${place(plant.broker.port)}}`);
    await device.do('set', set([['a', 'Int64', '-5']]));
    await device.do('connect');
    await device.do('birth');
    await plant.untilRows(1);
    await device.kill();
    expect(await plant.untilRows(2)).toEqual([good('G/W/D.DATA/a', -5), stale('G/W/D.DATA/a')]);
  });

  it('takes a retained birth for names and types, and no values', async () => {
    const device = start(launch);
    await device.do('device', `{"group":"G","node":"R","device":"D",${place(plant.broker.port)},"retainBirth":true}`);
    await device.do('set', set([['a', 'Int64', '-5']]));
    await device.do('connect');
    await device.do('birth');
    expect(await plant.untilRows(1)).toEqual([good('G/R/D.DATA/a', -5)]);
    const other = await SparkplugPlant.join(plant);
    try {
      await device.do('set', set([['a', 'Int64', '-6']]));
      await device.do('data');
      expect(await other.untilRows(1)).toEqual([good('G/R/D.a', -6)]);
    } finally {
      await other.leave();
    }
  });

  it('takes the STATE of its host, which is text, for no value', async () => {
    const host = start(launch);
    await host.do('host', `{"group":"G","name":"scada",${place(plant.broker.port)}}`);
    await host.do('connect');
    await host.do('birth');
    await until('online', () => plant.heardOn('spBv1.0/G/STATE/scada').includes('ONLINE'));
    await host.do('disconnect');
    await until('offline', () => plant.heardOn('spBv1.0/G/STATE/scada').includes('OFFLINE'));
    await plant.bridge.untilStatus('both', ({ counters }) => counters.messagesReceived >= 2);
    const { counters } = await plant.bridge.status();
    expect([counters.messagesUndecodable, counters.valuesReceived]).toEqual([0, 0]);
  });
});

describeWith('Tahu’s edge client', tahu, (launch) => {
  const at = `"timeMs":${TIME_MS}`;

  async function connect(node: Publisher, name: string, metrics: readonly Metric[], more = ''): Promise<void> {
    const named = `"group":"G","node":"${name}",${place(plant.proxy.port)},${at}`;
    const devices = `"devices":{"D":${listOf([['t', 'Int16', '-3']])}}`;
    await node.do('connect', `{${named},"metrics":${listOf(metrics)},${devices}${more}}`);
  }

  it('waits for the host, and writes what it then tells, by aliases and without types in data', async () => {
    const all = [...VALUES, ...MORE.slice(0, 4)];
    const node = start(launch);
    await connect(node, 'T', specified(all), ',"waitsFor":"plant-host"');
    // Its births have the metrics in the order of a hash table.
    const births = await plant.untilRows(all.length + 1);
    expect(byName(births)).toEqual(byName([...rowsOf(all, 'G/T'), good('G/T/D.t', -3)]));
    await node.do('update', `{${at},"metrics":${listOf(specified(all))}}`);
    await node.do('updateDevice', `{"device":"D",${at},"metrics":${listOf([['t', 'Int16', '-4']])}}`);
    const rows = await plant.untilRows(2 * all.length + 2);
    expect(rows.slice(all.length + 1)).toEqual([...rowsOf(all, 'G/T'), good('G/T/D.t', -4)]);
    expect(plant.requests('T')).toBe(0);
    // It tells the death of its device before its own, which is one of its devices, too.
    await node.do('disconnect');
    const stales = (await plant.untilRows(3 * all.length + 4)).slice(2 * all.length + 2);
    const names = byName([...rowsOf(all, 'G/T'), good('G/T/D.t', -3), good('G/T/D.t', -3)]).map(([name]) => name);
    expect(byName(stales)).toEqual(names.map(stale));
  });

  it('answers a request for births, which a host that comes later makes', async () => {
    const node = start(launch);
    await connect(node, 'A', [['a', 'UInt64', '18446744073709551615']]);
    await plant.untilRows(2);
    const other = await SparkplugPlant.join(plant);
    try {
      await node.do('update', `{${at},"metrics":${listOf([['a', 'UInt64', '1']])}}`);
      expect(await other.untilRows(2)).toEqual([good('G/A.a', 2 ** 64, '18446744073709551615'), good('G/A/D.t', -3)]);
      expect(other.requests('A')).toBe(1);
    } finally {
      await other.leave();
    }
  });
});
