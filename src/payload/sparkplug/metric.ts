import { MAX_MESSAGE_VALUES, TooManyValuesError } from '../../core/tag-values.ts';
import { BYTES, FIXED64, MalformedError, TWO_POW_32, VARINT, type ProtoReader } from './proto-reader.ts';

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

const METRIC = { name: 1, alias: 2, timestamp: 3, datatype: 4, isHistorical: 5, isNull: 7, properties: 9 } as const;

const keyOf = (field: number, wireType: number): number => (field << 3) | wireType;

/** Of the fields that nearly all there is are, as the one byte that says field and wire type. */
const KEY = {
  alias: keyOf(METRIC.alias, VARINT),
  timestamp: keyOf(METRIC.timestamp, VARINT),
  datatype: keyOf(METRIC.datatype, VARINT),
  isNull: keyOf(METRIC.isNull, VARINT),
  int: keyOf(VALUE.int, VARINT),
  long: keyOf(VALUE.long, VARINT),
  boolean: keyOf(VALUE.boolean, VARINT),
  double: keyOf(VALUE.double, FIXED64),
} as const;
const METRICS_KEY = keyOf(PAYLOAD.metrics, BYTES);
const DOUBLE_FIELD_BYTES = 9;

/** 1 for those keys whose value is an integer. */
const IS_INTEGER = new Uint8Array(256);
for (const key of Object.values(KEY)) if (key !== KEY.double) IS_INTEGER[key] = 1;

/** Epoch milliseconds of the years 1971 to 2109 have six bytes. */
const TIME_FIELD_BYTES = 7;
const TWO_POW_28 = 2 ** 28;

function isTimeAt(bytes: Buffer, at: number): boolean {
  const first = bytes[at]! & bytes[at + 1]! & bytes[at + 2]! & bytes[at + 3]! & bytes[at + 4]!;
  return first >= 0x80 && bytes[at + 5]! < 0x80;
}

function timeAt(bytes: Buffer, at: number): number {
  const low =
    (bytes[at]! & 0x7f) |
    ((bytes[at + 1]! & 0x7f) << 7) |
    ((bytes[at + 2]! & 0x7f) << 14) |
    ((bytes[at + 3]! & 0x7f) << 21);
  return ((bytes[at + 4]! & 0x7f) | (bytes[at + 5]! << 7)) * TWO_POW_28 + low;
}

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
  isHistorical = false;
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
    const { bytes, view } = reader;
    let at = start;
    while (at < end) {
      const key = bytes[at]!;
      if (key === KEY.timestamp && at + TIME_FIELD_BYTES <= end && isTimeAt(bytes, at + 1)) {
        this.timeMs = timeAt(bytes, at + 1);
        at += TIME_FIELD_BYTES;
      } else if (IS_INTEGER[key] === 1) {
        // Most integers have one byte. Behind the end of the bytes nothing is larger than anything.
        let low = bytes[at + 1]!;
        let high = 0;
        at += 2;
        if (low >= 0x80) {
          reader.open(bytes, at - 1, end);
          reader.readVarint();
          low = reader.low;
          high = reader.high;
          at = reader.at;
        }
        if (at > end) throw new MalformedError('the payload ends in the middle of an integer', end);
        this.#takeInteger(key, low, high);
      } else if (key === KEY.double && at + DOUBLE_FIELD_BYTES <= end) {
        this.valueField = VALUE.double;
        this.double = view.getFloat64(at + 1, true);
        at += DOUBLE_FIELD_BYTES;
      } else {
        reader.open(bytes, at, end);
        reader.next();
        this.#readOther(reader, reader.field);
        at = reader.at;
      }
    }
  }

  #takeInteger(key: number, low: number, high: number): void {
    switch (key) {
      case KEY.alias: {
        this.hasAlias = true;
        this.aliasLow = low;
        this.aliasHigh = high;
        return;
      }
      case KEY.timestamp: {
        this.timeMs = high * TWO_POW_32 + low;
        return;
      }
      case KEY.datatype: {
        this.datatype = high * TWO_POW_32 + low;
        return;
      }
      case KEY.isNull: {
        this.isNull = low !== 0 || high !== 0;
        return;
      }
      default: {
        this.valueField = key >>> 3;
        this.low = low;
        this.high = high;
      }
    }
  }

  /** The fields that are rare, and those that `read` knows by a key that is written otherwise. */
  #readOther(reader: ProtoReader, field: number): void {
    switch (field) {
      case METRIC.name: {
        reader.range();
        this.nameStart = reader.start;
        this.nameEnd = reader.stop;
        return;
      }
      case METRIC.isHistorical: {
        reader.integer();
        this.isHistorical = reader.low !== 0 || reader.high !== 0;
        return;
      }
      case METRIC.properties: {
        reader.range();
        this.propertiesStart = reader.start;
        this.propertiesEnd = reader.stop;
        return;
      }
      case VALUE.float: {
        this.valueField = field;
        this.double = reader.float();
        return;
      }
      case VALUE.double: {
        this.valueField = field;
        this.double = reader.double();
        return;
      }
      case METRIC.alias:
      case METRIC.timestamp:
      case METRIC.datatype:
      case METRIC.isNull:
      case VALUE.int:
      case VALUE.long:
      case VALUE.boolean: {
        reader.integer();
        this.#takeInteger(keyOf(field, VARINT), reader.low, reader.high);
        return;
      }
      default: {
        if (field >= VALUE.string && field <= VALUE.extension) this.#readBytes(reader, field);
        else reader.skip();
      }
    }
  }

  #readBytes(reader: ProtoReader, field: number): void {
    reader.range();
    this.valueField = field;
    this.start = reader.start;
    this.end = reader.stop;
  }

  #clear(): void {
    this.nameStart = -1;
    this.nameEnd = -1;
    this.hasAlias = false;
    this.timeMs = Number.NaN;
    this.datatype = -1;
    this.isNull = false;
    this.isHistorical = false;
    this.valueField = VALUE.none;
    this.propertiesStart = -1;
  }
}

/**
 * What stands beside the metrics, which may come before them or behind. Throws MalformedError and TooManyValuesError.
 */
export function readHead(reader: ProtoReader, payload: Buffer): PayloadHead {
  const head: PayloadHead = { timeMs: undefined, seq: undefined, uuid: '', bodyStart: 0, bodyEnd: 0 };
  reader.open(payload);
  let metrics = passMetrics(reader);
  let isKnown = metrics > 0;
  while (metrics <= MAX_MESSAGE_VALUES && reader.next()) {
    isKnown ||= reader.field <= PAYLOAD.body;
    if (reader.field === PAYLOAD.metrics) metrics += 1;
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
    metrics += passMetrics(reader);
  }
  if (metrics > MAX_MESSAGE_VALUES) throw new TooManyValuesError();
  // Any few bytes may look like fields that a later version has.
  if (!isKnown) throw new MalformedError('no field of a payload, up to its end', reader.at);
  return head;
}

/** Passes over metrics of usual length, and gives their count. Longer ones are read as all other fields are. */
function passMetrics(reader: ProtoReader): number {
  const { bytes, end } = reader;
  let { at } = reader;
  let count = 0;
  while (at < end && bytes[at] === METRICS_KEY && count <= MAX_MESSAGE_VALUES) {
    const length = bytes[at + 1]!;
    if (!(length < 0x80 && at + 2 + length <= end)) break;
    at += 2 + length;
    count += 1;
  }
  reader.at = at;
  return count;
}

/**
 * Reads the first metric of the payload that stands at `from` or behind, and gives the place behind it; -1 when there
 * is none. Throws MalformedError.
 */
export function readMetric(reader: ProtoReader, payload: Buffer, from: number, metric: Metric): number {
  let at = from;
  while (at < payload.length) {
    reader.open(payload, at);
    const length = payload[at + 1]!;
    if (payload[at] === METRICS_KEY && length < 0x80 && at + 2 + length <= payload.length) {
      metric.read(reader, at + 2, at + 2 + length);
      return at + 2 + length;
    }
    reader.next();
    if (reader.field === PAYLOAD.metrics) {
      reader.range();
      const { start, stop } = reader;
      metric.read(reader, start, stop);
      return stop;
    }
    reader.skip();
    at = reader.at;
  }
  return -1;
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
