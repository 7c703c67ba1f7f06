/*
 * Payloads of Sparkplug B as a test wants them, with fields that no library would leave out or put in.
 */

export interface MetricParts {
  readonly name?: string;
  readonly alias?: number | bigint;
  readonly timeMs?: number;
  readonly type?: number;
  readonly isHistorical?: boolean;
  readonly isNull?: boolean;
  /** Of the property `Quality`. */
  readonly quality?: number | string | boolean | null;
  readonly int?: number | bigint;
  readonly long?: number | bigint;
  readonly float?: number;
  readonly double?: number;
  readonly boolean?: boolean;
  readonly string?: string | Buffer;
  readonly bytes?: Buffer;
  readonly dataSet?: DataSetParts;
  readonly template?: { readonly isDefinition?: boolean; readonly members: readonly MetricParts[] };
}

/** A cell that is undefined is empty. */
export interface DataSetParts {
  readonly columns: readonly string[];
  readonly types: readonly number[];
  readonly rows: readonly (readonly (string | number | bigint | boolean | undefined)[])[];
}

export interface PayloadParts {
  readonly timeMs?: number;
  readonly seq?: number;
  readonly uuid?: string;
  readonly body?: Buffer;
  readonly metrics?: readonly MetricParts[];
}

export function sparkplugPayload({ timeMs, seq, uuid, body, metrics = [] }: PayloadParts): Buffer {
  return Buffer.concat([
    ...integer(1, timeMs),
    ...metrics.flatMap((metric) => bytes(2, sparkplugMetric(metric))),
    ...integer(3, seq),
    ...bytes(4, uuid === undefined ? undefined : Buffer.from(uuid)),
    ...bytes(5, body),
  ]);
}

function sparkplugMetric(metric: MetricParts): Buffer {
  const { quality, template } = metric;
  return Buffer.concat([
    ...bytes(1, metric.name === undefined ? undefined : Buffer.from(metric.name)),
    ...integer(2, metric.alias),
    ...integer(3, metric.timeMs),
    ...integer(4, metric.type),
    ...integer(5, metric.isHistorical === undefined ? undefined : Number(metric.isHistorical)),
    ...integer(7, metric.isNull === undefined ? undefined : Number(metric.isNull)),
    ...bytes(9, quality === undefined ? undefined : properties(quality)),
    ...integer(10, metric.int),
    ...integer(11, metric.long),
    ...float(12, metric.float),
    ...double(13, metric.double),
    ...integer(14, metric.boolean === undefined ? undefined : Number(metric.boolean)),
    ...bytes(15, metric.string === undefined ? undefined : Buffer.from(metric.string as string)),
    ...bytes(16, metric.bytes),
    ...bytes(17, metric.dataSet === undefined ? undefined : dataSetBytes(metric.dataSet)),
    ...bytes(18, template === undefined ? undefined : templateBytes(template)),
  ]);
}

function templateBytes({ isDefinition = false, members }: NonNullable<MetricParts['template']>): Buffer {
  const metrics = members.flatMap((member) => bytes(2, sparkplugMetric(member)));
  return Buffer.concat([...metrics, ...integer(5, Number(isDefinition))]);
}

function dataSetBytes({ columns, types, rows }: DataSetParts): Buffer {
  const cell = (given: DataSetParts['rows'][number][number]): Buffer => {
    if (typeof given === 'string') return Buffer.concat(bytes(6, Buffer.from(given)));
    if (typeof given === 'boolean') return Buffer.concat(integer(5, Number(given)));
    if (typeof given === 'bigint') return Buffer.concat(integer(2, given));
    return Buffer.concat(double(4, given));
  };
  return Buffer.concat([
    ...integer(1, columns.length),
    ...columns.flatMap((name) => bytes(2, Buffer.from(name))),
    ...types.flatMap((type) => integer(3, type)),
    ...rows.flatMap((row) => bytes(4, Buffer.concat(row.flatMap((each) => bytes(1, cell(each)))))),
  ]);
}

/** Another property first, so that the second value has to be found. */
function properties(quality: NonNullable<MetricParts['quality']> | null): Buffer {
  const keys = [...bytes(1, Buffer.from('engUnit')), ...bytes(1, Buffer.from('Quality'))];
  const unit = Buffer.concat([...integer(1, 12), ...bytes(8, Buffer.from('bar'))]);
  return Buffer.concat([...keys, ...bytes(2, unit), ...bytes(2, Buffer.concat(qualityValue(quality)))]);
}

function qualityValue(quality: number | string | boolean | null): Buffer[] {
  if (quality === null) return integer(2, 1);
  if (typeof quality === 'number') return [...integer(1, 3), ...integer(3, quality >>> 0)];
  if (typeof quality === 'boolean') return [...integer(1, 11), ...integer(7, Number(quality))];
  return [...integer(1, 12), ...bytes(8, Buffer.from(quality))];
}

function varint(given: number | bigint): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(given));
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(rest)]);
}

function integer(field: number, given: number | bigint | undefined): Buffer[] {
  return given === undefined ? [] : [varint(field << 3), varint(given)];
}

function bytes(field: number, given: Buffer | undefined): Buffer[] {
  return given === undefined ? [] : [varint((field << 3) | 2), varint(given.length), given];
}

function float(field: number, given: number | undefined): Buffer[] {
  if (given === undefined) return [];
  const value = Buffer.alloc(4);
  value.writeFloatLE(given);
  return [varint((field << 3) | 5), value];
}

function double(field: number, given: number | undefined): Buffer[] {
  if (given === undefined) return [];
  const value = Buffer.alloc(8);
  value.writeDoubleLE(given);
  return [varint((field << 3) | 1), value];
}
