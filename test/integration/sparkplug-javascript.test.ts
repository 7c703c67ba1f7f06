/*
 * The bridge beside sparkplug-client and sparkplug-payload of npm, the libraries of the specification's authors: what
 * they publish, against the rows of the table.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { newClient, type ISparkplugClientOptions, type UPayload } from 'sparkplug-client';
import { get as payloadsOf } from 'sparkplug-payload';

import { mosquittoMissing } from '../support/mosquitto.ts';
import { SparkplugPlant } from '../support/sparkplug-plant.ts';
import { until } from '../support/until.ts';

type Metric = NonNullable<UPayload['metrics']>[number];
type Value = Metric['value'];

const TIME_MS = 1_700_000_000_123;

/** 64 bits, as the library takes them. */
function long(value: bigint): Value {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return { low, high, unsigned: true } as Value;
}

function metric(name: string, type: Metric['type'], value: Value, alias?: number): Metric {
  return { name, type, value, timestamp: TIME_MS, ...(alias === undefined ? {} : { alias }) };
}

const of = (...metrics: Metric[]): UPayload => ({ timestamp: TIME_MS, metrics });
/** By the alias alone. */
const byAlias = (alias: number, value: Value, type: Metric['type'] = 'Int32'): Metric => ({
  alias,
  type,
  value,
  timestamp: TIME_MS,
});

describe.skipIf(mosquittoMissing !== undefined)('the bridge beside sparkplug-client', () => {
  let plant: SparkplugPlant;
  const clients: ReturnType<typeof newClient>[] = [];

  beforeEach(async () => {
    plant = await SparkplugPlant.start();
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.stop();
    await plant.stop();
  });

  /** An edge node that tells `births` whenever it is asked, or connects. */
  function startNode(
    births: (client: ReturnType<typeof newClient>) => void,
    options: Partial<ISparkplugClientOptions> = {},
  ): ReturnType<typeof newClient> {
    const client = newClient({
      serverUrl: `mqtt://127.0.0.1:${plant.proxy.port}`,
      username: '',
      password: '',
      groupId: 'G',
      edgeNode: 'N',
      clientId: 'G-N',
      keepalive: 60,
      mqttOptions: { reconnectPeriod: 20 },
      ...options,
    });
    clients.push(client);
    client.on('birth', () => births(client));
    client.on('ncmd', ({ metrics }) => {
      if (metrics?.some(({ name, value }) => name === 'Node Control/Rebirth' && value === true) === true)
        births(client);
    });
    return client;
  }

  const row = (name: string, value: number | null, text: string | null = null, quality = 'GOOD') =>
    [`G/${name}`, value, text, TIME_MS, quality] as const;

  it('writes the values of each type as they were published', async () => {
    const columns = ['i8', 'u64', 'd', 's'];
    const rows: Value[][] = [[-1, long(2n ** 64n - 1n), 0.5, 'x']];
    startNode((client) => {
      client.publishNodeBirth(
        of(
          metric('i8', 'Int8', -1),
          metric('i8min', 'Int8', -128),
          metric('i16', 'Int16', -32_768),
          metric('i32', 'Int32', -2_147_483_648),
          metric('i64', 'Int64', long(-(2n ** 63n))),
          metric('i64odd', 'Int64', long(-(2n ** 63n) + 1n)),
          metric('u8', 'UInt8', 255),
          metric('u16', 'UInt16', 65_535),
          metric('u32', 'UInt32', 4_294_967_295),
          metric('u64', 'UInt64', long(2n ** 64n - 1n)),
          metric('f', 'Float', 0.1),
          metric('d', 'Double', -1.5e-300),
          metric('nan', 'Double', Number.NaN),
          metric('inf', 'Double', Number.NEGATIVE_INFINITY),
          metric('yes', 'Boolean', true),
          metric('no', 'Boolean', false),
          metric('text', 'String', 'Größe 12,5'),
          metric('empty', 'String', ''),
          metric('when', 'DateTime', TIME_MS),
          metric('uuid', 'UUID', '123e4567-e89b-12d3-a456-426614174000'),
          metric('bytes', 'Bytes', new Uint8Array([0, 255, 1])),
          metric('null', 'Int32', null),
          metric('table', 'DataSet', {
            numOfColumns: 4,
            columns,
            types: ['Int8', 'UInt64', 'Double', 'String'],
            rows: rows as never,
          }),
          metric('Node Control/Rebirth', 'Boolean', false),
        ),
      );
    });
    expect(await plant.untilRows(23)).toEqual([
      row('N.i8', -1),
      row('N.i8min', -128),
      row('N.i16', -32_768),
      row('N.i32', -2_147_483_648),
      row('N.i64', -(2 ** 63)),
      row('N.i64odd', -(2 ** 63), '-9223372036854775807'),
      row('N.u8', 255),
      row('N.u16', 65_535),
      row('N.u32', 4_294_967_295),
      row('N.u64', 2 ** 64, '18446744073709551615'),
      row('N.f', Math.fround(0.1)),
      row('N.d', -1.5e-300),
      row('N.nan', null, 'NaN'),
      row('N.inf', null, '-Infinity'),
      row('N.yes', 1),
      row('N.no', 0),
      row('N.text', null, 'Größe 12,5'),
      row('N.empty', null),
      row('N.when', TIME_MS, new Date(TIME_MS).toISOString()),
      row('N.uuid', null, '123e4567-e89b-12d3-a456-426614174000'),
      row('N.bytes', null, 'AP8B'),
      row('N.null', null),
      row('N.table', null, '{"columns":["i8","u64","d","s"],"rows":[[-1,18446744073709551615,0.5,"x"]]}'),
    ]);
  });

  it('reads data by the aliases of the last birth, in devices too, and in compressed payloads', async () => {
    let isFirst = true;
    const client = startNode((node) => {
      const [a, b] = isFirst ? [0, 1] : [1, 0];
      isFirst = false;
      node.publishNodeBirth(of(metric('a', 'Int32', 1, a), metric('b', 'Int32', 2, b)), { compress: true });
      node.publishDeviceBirth('D', of(metric('t', 'Double', 0.5, a), metric('u', 'Double', 1.5, b)));
    });
    await plant.untilRows(4);
    client.publishNodeData(of(byAlias(0, -10), byAlias(1, -20)), { compress: true, algorithm: 'GZIP' });
    client.publishDeviceData('D', of(byAlias(0, 0.25, 'Double')));
    await plant.untilRows(7);
    client.emit('birth');
    await plant.untilRows(11);
    client.publishNodeData(of(byAlias(0, -10), byAlias(1, -20)), { compress: true, algorithm: 'DEFLATE' });
    client.publishDeviceData('D', of(byAlias(0, 0.25, 'Double')));
    const births = [row('N.a', 1), row('N.b', 2), row('N/D.t', 0.5), row('N/D.u', 1.5)];
    expect(await plant.untilRows(14)).toEqual([
      ...births,
      row('N.a', -10),
      row('N.b', -20),
      row('N/D.t', 0.25),
      ...births,
      row('N.b', -10),
      row('N.a', -20),
      row('N/D.u', 0.25),
    ]);
    expect(plant.requests('N')).toBe(0);
  });

  it('asks once for births after a gap, gets them, and keeps the data', async () => {
    const client = startNode((node) => node.publishNodeBirth(of(metric('a', 'Int32', 1, 1))));
    await plant.untilRows(1);
    client.publishNodeData(of(byAlias(1, 2)));
    // A metric without a type can't be encoded, and its message has taken a number already.
    expect(() => client.publishNodeData(of({ name: 'a', value: 1 } as Metric))).toThrow('toUpperCase');
    client.publishNodeData(of(byAlias(1, 3)));
    client.publishNodeData(of(byAlias(1, 4)));
    expect(await plant.untilRows(5)).toEqual([1, 2, 3, 4, 1].map((value) => row('N.a', value)));
    expect(plant.requests('N')).toBe(1);
    client.publishNodeData(of(byAlias(1, 5)));
    await plant.untilRows(6);
    expect(plant.requests('N')).toBe(1);
  });

  it('asks a node for births that it has not heard, and is answered', async () => {
    let isSilent = true;
    const client = startNode((node) => {
      if (!isSilent) node.publishNodeBirth(of(metric('a', 'Int64', long(-7n), 9)));
      isSilent = false;
    });
    const connected = new Promise<void>((resolve) => {
      client.once('birth', resolve);
    });
    await connected;
    client.publishNodeData(of(byAlias(9, 1)));
    expect(await plant.untilRows(1)).toEqual([row('N.a', -7)]);
    expect(plant.requests('N')).toBe(1);
    const { counters } = await plant.bridge.status();
    expect(counters.messagesUndecodable).toBe(1);
  });

  it('takes the will of a connection that was taken over for a death, and the birth after it for a life', async () => {
    const client = startNode((node) => {
      node.publishNodeBirth(of(metric('a', 'Int32', 1, 1)));
      node.publishDeviceBirth('D', of(metric('t', 'Double', 0.5, 1)));
    });
    await plant.untilRows(2);
    plant.proxy.leave();
    // The broker ends the old connection as it sees the client's id again: the same bdSeq, before the new birth.
    const rows = await plant.untilRows(6);
    client.publishDeviceData('D', of(byAlias(1, 0.75, 'Double')));
    expect(await plant.untilRows(7)).toHaveLength(7);
    const [dead, deadDevice] = [rows[2]!, rows[3]!];
    expect([dead, deadDevice]).toEqual([
      ['G/N.a', null, null, expect.any(Number), 'STALE'],
      ['G/N/D.t', null, null, expect.any(Number), 'STALE'],
    ]);
    // The payload of the will has the time at which the client was made.
    expect(dead[3]).toBeGreaterThan(TIME_MS);
    expect(rows.slice(4)).toEqual([row('N.a', 1), row('N/D.t', 0.5)]);
    expect((await plant.rows()).at(-1)).toEqual(row('N/D.t', 0.75));
  });

  it('believes a late will of an earlier client, whose number is the same, until the node is heard of again', async () => {
    const births = (node: ReturnType<typeof newClient>): void => node.publishNodeBirth(of(metric('a', 'Int32', 1, 1)));
    const earlier = startNode(births, { clientId: 'G-N-1', mqttOptions: { reconnectPeriod: 0 } });
    await plant.untilRows(1);
    // The process is started again under another client id, and the library begins with bdSeq 0 each time.
    plant.proxy.leave();
    earlier.stop();
    const client = startNode(births, { clientId: 'G-N-2' });
    await plant.untilRows(2);
    plant.proxy.endLeft();
    const stale = ['G/N.a', null, null, expect.any(Number), 'STALE'];
    expect((await plant.untilRows(3)).at(-1)).toEqual(stale);
    expect(plant.requests('N')).toBe(0);
    client.publishNodeData(of(byAlias(1, 2)));
    expect((await plant.untilRows(5)).slice(3)).toEqual([row('N.a', 2), row('N.a', 1)]);
    expect(plant.requests('N')).toBe(1);
  });

  it('makes stale what a device or a node says is dead, and nothing of a node that goes without a word', async () => {
    const births = (node: ReturnType<typeof newClient>): void => {
      node.publishNodeBirth(of(metric('a', 'Int32', 1)));
      node.publishDeviceBirth('D', of(metric('t', 'Double', 0.5)));
    };
    const client = startNode(births, { publishDeath: true });
    const wordless = startNode((node) => node.publishNodeBirth(of(metric('a', 'Int32', 1))), {
      edgeNode: 'W',
      clientId: 'G-W',
    });
    await plant.untilRows(3);
    client.publishDeviceDeath('D', of());
    const stale = (name: string): unknown => [name, null, null, expect.any(Number), 'STALE'];
    expect((await plant.untilRows(4)).at(-1)).toEqual(stale('G/N/D.t'));
    wordless.stop();
    client.stop();
    clients.length = 0;
    // That of the device is so twice: the node's death is one of all its devices.
    expect((await plant.untilRows(6)).slice(4)).toEqual([stale('G/N.a'), stale('G/N/D.t')]);
    expect((await plant.rows()).filter(([name]) => name.startsWith('G/W.'))).toEqual([row('W.a', 1)]);
  });

  it('reads what sparkplug-payload makes of templates, qualities and values that are not there', async () => {
    const { encodePayload } = payloadsOf('spBv1.0')!;
    const withQuality = (name: string, quality: number): Metric => ({
      ...metric(name, 'Int32', 7),
      properties: { Quality: { type: 'Int32', value: quality } },
    });
    const motor = { templateRef: 'Motor', version: '1' };
    const birth = of(
      metric('Motor', 'Template', {
        version: '1',
        isDefinition: true,
        metrics: [metric('speed', 'Int16', 0)],
        parameters: [{ name: 'pole', type: 'Int32', value: 4 }],
      }),
      metric('m1', 'Template', { ...motor, metrics: [metric('speed', 'Int16', -9), metric('on', 'Boolean', true)] }),
      withQuality('good', 192),
      withQuality('stale', 500),
      withQuality('bad', 0),
      { name: 'nothing', type: 'Int32', timestamp: TIME_MS } as Metric,
    );
    await plant.publish('spBv1.0/G/NBIRTH/N', Buffer.from(encodePayload({ ...birth, seq: 0 })));
    const births = await plant.untilRows(6);
    expect(births).toEqual([
      row('N.m1/speed', -9),
      row('N.m1/on', 1),
      row('N.good', 7),
      row('N.stale', 7, null, 'STALE'),
      row('N.bad', 7, null, 'BAD'),
      row('N.nothing', null),
    ]);
  });

  it('takes STATE in both forms for no value, and says offline when it ends', async () => {
    await plant.publish('spBv1.0/STATE/another', '{"online":true,"timestamp":1700000000123}', true);
    await plant.publish('spBv1.0/G/STATE/old', 'ONLINE', true);
    await plant.publish('STATE/older', 'OFFLINE', true);
    startNode((node) => node.publishNodeBirth(of(metric('a', 'Int32', 1))));
    await plant.untilRows(1);
    const { counters } = await plant.bridge.status();
    expect([counters.messagesUndecodable, counters.valuesReceived]).toEqual([0, 1]);
    expect(await plant.bridge.end()).toBe(0);
    await until('offline', () => plant.lastState.includes('"online":false'));
  });
});
