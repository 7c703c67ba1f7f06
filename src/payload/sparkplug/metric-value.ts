import { isUtf8 } from 'node:buffer';

import type { Reason } from '../../core/errors.ts';
import { reasonsOf } from '../reasons.ts';
import { arrayText, dataSetText, timeText } from './composite-text.ts';
import { digitsOf, integerOf, TYPE } from './data-types.ts';
import { VALUE, type Metric } from './metric.ts';
import { MalformedError, type ProtoReader } from './proto-reader.ts';

/** What is wrong with one value of a message. */
const valueReason = reasonsOf({
  VALUE_NOT_UTF8: () => 'the text of the metric is not UTF-8; it is given as base64',
  VALUE_MALFORMED: (found) => `the value of the metric can not be read: ${found}`,
  VALUE_NOT_SUPPORTED: () => 'the value of the metric is an extension of the format that nobody has defined',
});

/**
 * The value of one metric as a number and a text: NaN and null where it has none. One object for all metrics; `read`
 * sets its members.
 */
export class MetricValue {
  number = Number.NaN;
  text: string | null = null;
  problem: Reason | undefined;

  /**
   * `type`: the declared one, of the metric or of its birth. The value is taken from whichever field is set, as
   * publishers do not agree on which; the type then says its sign and width. A template has no value of its own.
   */
  read(reader: ProtoReader, metric: Metric, type: number): void {
    this.number = Number.NaN;
    this.text = null;
    this.problem = undefined;
    if (metric.isNull) return;
    switch (metric.valueField) {
      case VALUE.double:
      case VALUE.float: {
        this.#takeDouble(metric.double);
        return;
      }
      case VALUE.int:
      case VALUE.long: {
        this.#takeInteger(metric, type);
        return;
      }
      case VALUE.boolean: {
        this.number = metric.low === 0 && metric.high === 0 ? 0 : 1;
        return;
      }
      case VALUE.string: {
        this.#takeText(reader.bytes, metric);
        return;
      }
      case VALUE.bytes: {
        this.#takeBytes(reader.bytes.subarray(metric.start, metric.end), type);
        return;
      }
      case VALUE.dataSet: {
        this.#tryText(() => dataSetText(reader, metric.start, metric.end));
        return;
      }
      case VALUE.extension: {
        this.problem = valueReason('VALUE_NOT_SUPPORTED');
        return;
      }
      default: // no field is set: there is no value
    }
  }

  /** NaN stands for NULL in a list of values, and Oracle's NUMBER has neither it nor the infinities: they are texts. */
  #takeDouble(value: number): void {
    if (Number.isFinite(value)) this.number = value + 0;
    else this.text = String(value);
  }

  #takeInteger({ low, high }: Metric, type: number): void {
    this.number = integerOf(type, low, high);
    if (type === TYPE.dateTime) this.text = timeText(this.number) ?? digitsOf(type, low, high);
    else if (type === TYPE.boolean) this.number = this.number === 0 ? 0 : 1;
    else this.text = digitsOf(type, low, high);
  }

  #takeText(bytes: Buffer, { start, end }: Metric): void {
    const text = bytes.toString('utf8', start, end);
    if (!text.includes('\uFFFD') || isUtf8(bytes.subarray(start, end))) {
      this.text = text;
      return;
    }
    this.text = bytes.toString('base64', start, end);
    this.problem = valueReason('VALUE_NOT_UTF8');
  }

  #takeBytes(bytes: Buffer, type: number): void {
    const isArray = type >= TYPE.int8Array && type <= TYPE.dateTimeArray;
    if (isArray) this.#tryText(() => arrayText(type, bytes));
    else this.text = bytes.toString('base64');
  }

  #tryText(make: () => string): void {
    try {
      this.text = make();
    } catch (thrown) {
      if (!(thrown instanceof MalformedError)) throw thrown;
      this.problem = valueReason('VALUE_MALFORMED', thrown.message);
    }
  }
}
