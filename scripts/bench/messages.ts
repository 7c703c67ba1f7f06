import { sparkplugPayload, type MetricParts } from '../../test/support/sparkplug-encoder.ts';

/** A message of the benchmark. */
export interface BenchMessage {
  readonly topic: string;
  readonly payload: string | Buffer;
}

/** The messages of a format: how they are subscribed to, and the one with this number. */
export interface BenchMessages {
  readonly subscription: Readonly<Record<string, unknown>>;
  /** What must be sent before the others can be read. Its values count. */
  readonly first?: (tags: number) => BenchMessage;
  readonly message: (number: number, tags: number) => BenchMessage;
}

const TOPIC = 'plc/PLC01/tags';
const DOUBLE = 10;

const valueOf = (number: number, tag: number): number => Math.round(number * 7 + tag * 10.1) / 10;

/** Put together by hand where it takes long otherwise: the publisher must not be what is measured. */
export const BENCH_MESSAGES: Readonly<Record<string, BenchMessages>> = {
  polling: {
    subscription: { topic: 'plc/+/tags', format: 'polling' },
    message: (number, count) => {
      const tags: Record<string, number> = {};
      for (let tag = 0; tag < count; tag += 1) tags[`D${100 + tag}`] = valueOf(number, tag);
      const payload = JSON.stringify({ timestamp: new Date().toISOString(), plc_code: 'PLC01', tag_values: tags });
      return { topic: TOPIC, payload };
    },
  },
  scalar: {
    subscription: { topic: 'plc/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
    message: (number) => ({ topic: TOPIC, payload: String(valueOf(number, 0)) }),
  },
  json: {
    subscription: { topic: 'plc/+/tags', format: 'json', plcCode: '{2}', json: { preset: 'kepware' } },
    message: (number, count) => {
      const timestamp = Date.now();
      let values = '';
      for (let tag = 0; tag < count; tag += 1) {
        const comma = tag === 0 ? '' : ',';
        values += `${comma}{"id":"Ch1.Dev1.D${100 + tag}","v":${valueOf(number, tag)},"q":true,"t":${timestamp - (tag % 5)}}`;
      }
      return { topic: TOPIC, payload: `{"timestamp":${timestamp},"values":[${values}]}` };
    },
  },
  sparkplugB: {
    subscription: { topic: 'spBv1.0/#', format: 'sparkplugB' },
    first: (count) => {
      const metrics = Array.from({ length: count }, (_, tag): MetricParts => {
        return { name: `D${100 + tag}`, alias: tag, timeMs: Date.now(), type: DOUBLE, double: 0 };
      });
      return { topic: 'spBv1.0/G/DBIRTH/N/PLC01', payload: sparkplugPayload({ timeMs: Date.now(), seq: 1, metrics }) };
    },
    message: sparkplugData,
  },
};

/** The parts of a metric that stay: alias, time and type, and room for the value. As Tahu sends it, without a name. */
let prepared: { readonly payload: Buffer; readonly valueAt: readonly number[] } | undefined;

function sparkplugData(number: number, count: number): BenchMessage {
  prepared ??= prepareData(count);
  const payload = Buffer.from(prepared.payload);
  for (let tag = 0; tag < count; tag += 1) payload.writeDoubleLE(valueOf(number, tag), prepared.valueAt[tag]);
  // Its sequence number stands at the end, as one byte.
  payload[payload.length - 1] = number & 0x7f;
  return { topic: 'spBv1.0/G/DDATA/N/PLC01', payload };
}

function prepareData(count: number): NonNullable<typeof prepared> {
  const timeMs = Date.now();
  const metrics = Array.from({ length: count }, (_, tag): MetricParts => {
    return { alias: tag, timeMs: timeMs - (tag % 5), type: DOUBLE, double: Number.MAX_VALUE };
  });
  const payload = sparkplugPayload({ timeMs, seq: 0, metrics });
  const marked = Buffer.alloc(8);
  marked.writeDoubleLE(Number.MAX_VALUE);
  const valueAt: number[] = [];
  for (let at = payload.indexOf(marked); at !== -1; at = payload.indexOf(marked, at + 8)) valueAt.push(at);
  return { payload, valueAt };
}
