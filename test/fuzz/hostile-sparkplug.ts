/*
 * Messages of Sparkplug B that no edge node sends: very many metrics, names and templates without an end, bodies that
 * come to much more than they are.
 */
import { deflateSync, gzipSync } from 'node:zlib';

import { sparkplugPayload, type MetricParts } from '../support/sparkplug-encoder.ts';
import type { FuzzTarget, HostilePayload } from './fuzzed-formats.ts';

const MANY = 100_000;
const DEEP = 100_000;
const TIME_MS = 1_700_000_000_000;
const MAX_ALIAS = 2n ** 64n - 1n;
const [INT8, INT16, INT64, UINT64, DOUBLE, DATE_TIME] = [1, 2, 4, 8, 10, 13];

/** In their order: data need the births before them. `staling` makes rows of deaths. */
export function hostileSparkplug([target, staling]: readonly [FuzzTarget, FuzzTarget]): readonly HostilePayload[] {
  const many = Array.from({ length: MANY }, (_, i) => i);
  const send = (what: string, kind: string, payload: Buffer, by = target): HostilePayload => {
    return { what, target: by, topic: `spBv1.0/G/${kind}`, payload };
  };
  const metrics = (parts: readonly MetricParts[]): Buffer =>
    sparkplugPayload({ timeMs: TIME_MS, seq: 1, metrics: parts });
  const births = metrics(many.map((i) => ({ name: `m${i}`, alias: i, type: DOUBLE, double: i })));
  const empty = Buffer.alloc(2 * 8_000_000).fill(Buffer.from([0x12, 0x00]));
  const longName = 'x'.repeat(1_000_000);
  return [
    send('many metrics born', 'DBIRTH/N/D', births),
    send('many metrics by alias', 'DDATA/N/D', metrics(many.map((i) => ({ alias: i, double: i })))),
    send('many metrics by name', 'DDATA/N/D', metrics(many.map((i) => ({ name: `m${i}`, int: i })))),
    send(
      'many names that nobody declared',
      'DDATA/N/E',
      metrics(many.map((i) => ({ name: `u${i}`, type: INT8, int: i }))),
    ),
    send('one name many times', 'DBIRTH/N/F', metrics(many.map((i) => ({ name: 'm', alias: i, type: INT16, int: i })))),
    send(
      'one alias many times',
      'DBIRTH/N/F',
      metrics(many.map((i) => ({ name: `m${i}`, alias: 0, type: INT16, int: i }))),
    ),
    send(
      'many integers of 64 bits',
      'DBIRTH/N/F',
      metrics(many.map((i) => ({ name: 'm', type: INT64, long: MAX_ALIAS - BigInt(i) }))),
    ),
    send(
      'many aliases of 64 bits',
      'DBIRTH/N/F',
      metrics(many.map((i) => ({ name: `m${i}`, alias: MAX_ALIAS - BigInt(i), type: INT64, long: i }))),
    ),
    send('many births', 'DBIRTH/N/D', births),
    send(
      'many stale metrics, born',
      'NBIRTH/N',
      metrics([
        { name: 'bdSeq', type: UINT64, long: 1 },
        ...many.map((i) => ({ name: `m${i}`, type: DATE_TIME, long: i })),
      ]),
      staling,
    ),
    send('many stale metrics', 'NDEATH/N', metrics([{ name: 'bdSeq', type: UINT64, long: 1 }]), staling),
    send('templates deep', 'DBIRTH/N/T', templatesDeep()),
    send(
      'members of a template with an endless name',
      'DBIRTH/N/T',
      metrics([
        {
          name: longName,
          template: { members: many.slice(0, 20_000).map((i) => ({ name: `${i}`, type: INT8, int: 1 })) },
        },
      ]),
    ),
    send(
      'a metric with an endless name, born',
      'DBIRTH/N/L',
      metrics([{ name: longName, alias: 1, type: INT8, int: 1 }]),
    ),
    send('a metric with an endless name, many times', 'DDATA/N/L', metrics(many.map((i) => ({ alias: 1, int: i })))),
    send('many empty metrics', 'DBIRTH/N/E', empty),
    send('inflating', 'DDATA/N/D', inEnvelope(gzipSync(Buffer.alloc(64 * 1024 * 1024)))),
    send('inflating to many metrics', 'DBIRTH/N/E', inEnvelope(deflateSync(empty))),
    send(
      'many rows of a data set',
      'DDATA/N/D',
      metrics([
        { name: 's', type: 16, dataSet: { columns: ['a'], types: [INT64], rows: many.map((i) => [BigInt(i)]) } },
      ]),
    ),
    send('many properties', 'DDATA/N/D', manyProperties()),
    send('many bodies', 'DDATA/N/D', Buffer.alloc(500_000).fill(Buffer.from([0x2a, 0x00]))),
    send('cut off', 'DBIRTH/N/D', births.subarray(0, births.length - 1)),
    send(
      'prototype',
      'DBIRTH/N/D',
      metrics([
        { name: '__proto__', alias: 0, type: INT8, int: 1 },
        { name: 'constructor', template: { members: [{ name: 'prototype', int: 1 }] } },
      ]),
    ),
  ];
}

/** Each template lies in a metric of the one around it. */
function templatesDeep(): Buffer {
  const heads: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < DEEP; level += 1) {
    for (const field of [18, 2]) {
      const head = Buffer.concat([varint((field << 3) | 2), varint(length)]);
      heads.push(head);
      length += head.length;
    }
  }
  return Buffer.concat(heads.toReversed());
}

/** Each metric may have many properties, and the wanted one stands at the end. */
function manyProperties(): Buffer {
  const keys = Buffer.alloc(3 * MANY).fill(Buffer.from([0x0a, 0x01, 0x61]));
  const values = Buffer.alloc(2 * MANY).fill(Buffer.from([0x12, 0x00]));
  const properties = Buffer.concat([keys, Buffer.from('\n\u0007Quality'), values, Buffer.from([0x12, 2, 0x18, 0])]);
  const body = Buffer.concat([Buffer.from([0x0a, 1, 0x70, 0x20, 1, 0x4a]), varint(properties.length), properties]);
  return Buffer.concat([Buffer.from([0x12]), varint(body.length), body]);
}

function varint(given: number): Buffer {
  const out: number[] = [];
  let rest = given;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return Buffer.from([...out, rest]);
}

/** As the libraries compress a payload. */
export function inEnvelope(body: Buffer): Buffer {
  const algorithm = { name: 'algorithm', type: 12, string: 'GZIP' };
  return sparkplugPayload({ uuid: 'SPBV1.0_COMPRESSED', body, metrics: [algorithm] });
}
