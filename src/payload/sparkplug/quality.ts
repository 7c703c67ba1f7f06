import { integerOf, TYPE } from './data-types.ts';
import type { Metric } from './metric.ts';
import type { ProtoReader } from './proto-reader.ts';

/**
 * What the numbers of the property `Quality` mean: by Sparkplug 0 is bad; for Ignition 0 is good and the two uppermost
 * bits of the number tell good, uncertain and bad.
 */
export type QualityScale = 'sparkplug' | 'ignition';

const GOOD = 'GOOD';
const PROPERTIES = { keys: 1, values: 2 } as const;
const PROPERTY = { isNull: 2, int: 3, long: 4, boolean: 7, string: 8 } as const;
const NAME = Buffer.from('Quality');
const MAX_TEXT_BYTES = 64;

const NAMED: ReadonlyMap<number, string> = new Map([
  [192, 'GOOD'],
  [500, 'STALE'],
]);
const IGNITION_STALE = 516;
const FIRST_IGNITION = 2 ** 30;
const OPC_DA = 256;
const OPC_DA_STATUS = ['BAD', 'UNCERTAIN', undefined, 'GOOD'] as const;

/**
 * The quality that the properties of one metric tell, as text and as a number. One object for all metrics; `read` sets
 * its members.
 */
export class MetricQuality {
  /** A number that means nothing known is given as it is. `GOOD` where they tell none. */
  text = GOOD;
  /** NaN where they tell no number. */
  code = Number.NaN;
  readonly #scale: QualityScale;

  constructor(scale: QualityScale) {
    this.#scale = scale;
  }

  /** Throws MalformedError. */
  read(reader: ProtoReader, { propertiesEnd, propertiesStart }: Metric): void {
    this.#clear();
    if (propertiesStart !== -1 && findQuality(reader, propertiesStart, propertiesEnd)) this.#readProperty(reader);
  }

  #clear(): void {
    this.text = GOOD;
    this.code = Number.NaN;
  }

  /** The reader's range is the property's value. */
  #readProperty(reader: ProtoReader): void {
    let isNull = false;
    reader.open(reader.bytes, reader.start, reader.stop);
    while (reader.next()) {
      if (reader.field === PROPERTY.isNull) {
        reader.integer();
        isNull = reader.low !== 0;
      } else if (reader.field === PROPERTY.int || reader.field === PROPERTY.long) {
        reader.integer();
        this.code = integerOf(TYPE.uint32, reader.low, reader.high);
        this.text = qualityOf(this.code, this.#scale);
      } else if (reader.field === PROPERTY.boolean) {
        reader.integer();
        this.text = reader.low === 0 ? 'BAD' : GOOD;
      } else if (reader.field === PROPERTY.string) {
        const text = reader.text();
        if (text !== '' && reader.stop - reader.start <= MAX_TEXT_BYTES) this.text = text;
      } else {
        reader.skip();
      }
    }
    if (isNull) this.#clear();
  }
}

/** Whether there is one; the reader's range is then its value. */
function findQuality(reader: ProtoReader, start: number, end: number): boolean {
  const { bytes } = reader;
  let keys = 0;
  let wanted = -1;
  reader.open(bytes, start, end);
  while (reader.next()) {
    if (reader.field !== PROPERTIES.keys) {
      reader.skip();
      continue;
    }
    reader.range();
    if (NAME.compare(bytes, reader.start, reader.stop) === 0) wanted = keys;
    keys += 1;
  }
  if (wanted === -1) return false;
  reader.open(bytes, start, end);
  for (let values = 0; reader.next();) {
    if (reader.field !== PROPERTIES.values) {
      reader.skip();
      continue;
    }
    reader.range();
    if (values === wanted) return true;
    values += 1;
  }
  return false;
}

/** `code`: the number without its sign, 32 bits. */
export function qualityOf(code: number, scale: QualityScale): string {
  const named = NAMED.get(code);
  if (named !== undefined) return named;
  if (code >= FIRST_IGNITION) {
    if ((code & 0xffff) === IGNITION_STALE) return 'STALE';
    return code >= 2 * FIRST_IGNITION ? 'BAD' : 'UNCERTAIN';
  }
  if (scale === 'ignition' && code < OPC_DA) return 'GOOD';
  // What is left are the codes of OPC DA, of which 0 and 192 are two.
  return (code < OPC_DA ? OPC_DA_STATUS[code >> 6] : undefined) ?? String(code);
}
