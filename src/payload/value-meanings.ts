import { parseIso, parseTimestamp } from './timestamp.ts';
import { badTimestamp, reasonFor } from './reasons.ts';
import type { Reason } from '../core/errors.ts';
import type { QualityScale } from './quality.ts';
import type { TextMeanings } from './text-values.ts';
import { compileTimeForm, type TimeSource } from './time-forms.ts';
import { compileTimeZone } from './time-zone.ts';

/**
 * What a subscription says of its values, whatever their format. All of it may be left out; an empty text stands for
 * that, too.
 */
export interface ValueMeanings extends Partial<TextMeanings> {
  /** An IANA name, for times without a zone. Empty: UTC. */
  readonly timeZone?: string;
  /** A form of time-forms.ts. Empty: ISO 8601 where a text is given, epoch milliseconds where a number is. */
  readonly timestampFormat?: string;
  readonly quality?: QualityScale | undefined;
}

/** What a subscription says of its values, with what was left out. */
export interface CompleteMeanings extends ValueMeanings {
  readonly timeZone: string;
  readonly timestampFormat: string;
  readonly quality: QualityScale | undefined;
  readonly numbersInText: boolean;
  readonly decimalComma: boolean;
  readonly words: Readonly<Record<string, number | null>>;
}

/** Reads times: epoch milliseconds, NaN for what is none. */
export interface TimeReader {
  read(given: unknown, source: TimeSource): number;
  /** Says of what `read` gave NaN for why it is no time. */
  problem(given: unknown): Reason;
}

/** Throws where `timeZone` or `timestampFormat` mean nothing, which the configuration has checked. */
export function compileTimeReader({ timeZone = '', timestampFormat = '' }: ValueMeanings): TimeReader {
  const zone = timeZone === '' ? 'UTC' : timeZone;
  if (timestampFormat === '') {
    const toUtc = compileTimeZone(zone);
    return {
      read: (given) => (typeof given === 'string' ? parseIso(given, toUtc) : parseTimestamp(given)),
      problem: (given) => reasonFor('BAD_TIMESTAMP', given),
    };
  }
  const form = compileTimeForm(timestampFormat, zone);
  if (typeof form === 'string') throw new Error(`the form of time ${timestampFormat} ${form}`);
  return { read: form, problem: (given) => badTimestamp(timestampFormat, given) };
}
