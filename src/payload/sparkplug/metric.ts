import { MalformedError, type ProtoReader } from './proto-reader.ts';

/** Numbers of the fields of Payload. */
const PAYLOAD = { timestamp: 1, metrics: 2, seq: 3, uuid: 4, body: 5 } as const;

/** Numbers of the fields of Metric that hold a value; those of a template's parameters are seven lower. */
export const VALUE = {
  none: 0,
  int: 10,
  long: 11,
  float: 12,
  double: 13,
  boolean: 14,
  string: 15,
  bytes: 16,
  dataSet: 17,
  template: 18,
  extension: 19,
} as const;

const METRIC = { name: 1, alias: 2, timestamp: 3, datatype: 4, isNull: 7, properties: 9 } as const;

/** What a payload says beside its metrics. */
export interface PayloadHead {
  /** Epoch milliseconds; undefined: it says none. */
  timeMs: number | undefined;
  seq: number | undefined;
  uuid: string;
  /** Where the body lies; both 0 where there is none. */
  bodyStart: number;
  bodyEnd: number;
}

/**
 * A metric as it stands in the payload: numbers are read, all else is a place in the bytes. One object for all metrics
 * of a payload. Places that are -1 are not there.
 */
export class Metric {
  nameStart = -1;
  nameEnd = -1;
  hasAlias = false;
  aliasLow = 0;
  aliasHigh = 0;
  /** NaN: it has none. */
  timeMs = Number.NaN;
  /** -1: it has none. */
  datatype = -1;
  isNull = false;
  /** One of VALUE. */
  valueField = 0;
  low = 0;
  high = 0;
  double = 0;
  start = 0;
  end = 0;
  propertiesStart = -1;
  propertiesEnd = -1;

  /** Reads the metric that lies between the two places. Throws MalformedError. */
  read(reader: ProtoReader, start: number, end: number): void {
    this.#clear();
    reader.open(reader.bytes, start, end);
    while (reader.next()) {
      const { field } = reader;
      if (field >= VALUE.int && field <= VALUE.extension) this.#readValue(reader, field);
      else this.#readOther(reader, field);
    }
  }

  #readOther(reader: ProtoReader, field: number): void {
    switch (field) {
      case METRIC.name: {
        reader.range();
        this.nameStart = reader.start;
        this.nameEnd = reader.stop;
        return;
      }
      case METRIC.alias: {
        reader.integer();
        this.hasAlias = true;
        this.aliasLow = reader.low;
        this.aliasHigh = reader.high;
        return;
      }
      case METRIC.timestamp: {
        reader.integer();
        this.timeMs = reader.unsigned;
        return;
      }
      case METRIC.datatype: {
        reader.integer();
        this.datatype = reader.unsigned;
        return;
      }
      case METRIC.isNull: {
        reader.integer();
        this.isNull = reader.low !== 0 || reader.high !== 0;
        return;
      }
      case METRIC.properties: {
        reader.range();
        this.propertiesStart = reader.start;
        this.propertiesEnd = reader.stop;
        return;
      }
      default: {
        reader.skip();
      }
    }
  }

  #readValue(reader: ProtoReader, field: number): void {
    this.valueField = field;
    if (field === VALUE.float) {
      this.double = reader.float();
    } else if (field === VALUE.double) {
      this.double = reader.double();
    } else if (field <= VALUE.boolean) {
      reader.integer();
      this.low = reader.low;
      this.high = reader.high;
    } else {
      reader.range();
      this.start = reader.start;
      this.end = reader.stop;
    }
  }

  #clear(): void {
    this.nameStart = -1;
    this.nameEnd = -1;
    this.hasAlias = false;
    this.timeMs = Number.NaN;
    this.datatype = -1;
    this.isNull = false;
    this.valueField = VALUE.none;
    this.propertiesStart = -1;
  }
}

/** What stands beside the metrics, which may come before them or behind. Throws MalformedError. */
export function readHead(reader: ProtoReader, payload: Buffer): PayloadHead {
  const head: PayloadHead = { timeMs: undefined, seq: undefined, uuid: '', bodyStart: 0, bodyEnd: 0 };
  reader.open(payload);
  let isKnown = false;
  while (reader.next()) {
    isKnown ||= reader.field <= PAYLOAD.body;
    if (reader.field === PAYLOAD.timestamp) {
      reader.integer();
      head.timeMs = reader.unsigned;
    } else if (reader.field === PAYLOAD.seq) {
      reader.integer();
      head.seq = reader.unsigned;
    } else if (reader.field === PAYLOAD.uuid) {
      head.uuid = reader.text();
    } else if (reader.field === PAYLOAD.body) {
      reader.range();
      head.bodyStart = reader.start;
      head.bodyEnd = reader.stop;
    } else {
      reader.skip();
    }
  }
  // Any few bytes may look like fields that a later version has.
  if (!isKnown) throw new MalformedError('no field of a payload, up to its end', reader.at);
  return head;
}

/**
 * Calls `each` with every metric of the payload, in order; the metric is another one after that. Throws MalformedError,
 * and what `each` throws.
 */
export function forEachMetric(
  reader: ProtoReader,
  payload: Buffer,
  metric: Metric,
  each: (metric: Metric) => void,
): void {
  forEachPart(reader, payload, 0, payload.length, PAYLOAD.metrics, (start, end) => {
    metric.read(reader, start, end);
    each(metric);
  });
}

/**
 * Calls `each` with the place of every value of the field that holds bytes, and passes over all else. `each` may use
 * the reader.
 */
export function forEachPart(
  reader: ProtoReader,
  bytes: Buffer,
  from: number,
  to: number,
  field: number,
  each: (start: number, end: number) => void,
): void {
  let at = from;
  while (at < to) {
    reader.open(bytes, at, to);
    reader.next();
    const isPart = reader.field === field;
    if (isPart) reader.range();
    else reader.skip();
    at = reader.at;
    if (isPart) each(reader.start, reader.stop);
  }
}
