import type { Reason } from '../core/errors.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { ValueDetails } from '../core/value-details.ts';
import { isInexactInteger, markInexactNumbers, stringifyExactly } from './exact-json.ts';
import { compileQuality, DEFAULT_QUALITY, QualityDetails, qualityCodeOf, type QualityReader } from './quality.ts';
import { reasonFor } from './reasons.ts';
import type { NamedTag } from './tag-name.ts';
import { isBrokenText, unpadded } from './text.ts';
import { compileTextMeanings } from './text-values.ts';
import type { TimeSource } from './time-forms.ts';
import { compileTimeReader, type TimeReader, type ValueMeanings } from './value-meanings.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Not an array, not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Turns the JSON values of one message into tag values. One object for all messages, so that a value costs no object of
 * its own: `begin` a message or `decodeJson` it, `setDefaults` from its head, `push` its values.
 *
 * Each value is pushed exactly once, whatever it is; one that can't be written carries a problem. Where JSON.parse has
 * spoilt a number, the message is decoded a second time, with its numbers marked (exact-json.ts).
 */
export class ValueDecoder {
  #into!: TagValues;
  /** Not empty in a second pass. */
  #marker = '';
  #needsExact = false;
  #mayBeBroken = false;

  #defaultTimeMs = 0;
  #defaultTimeProblem: Reason | undefined;
  #defaultQuality = DEFAULT_QUALITY;
  /** The same as a number, where a column wants it. */
  #defaultDetails: ValueDetails | null = null;
  readonly #keepsQualityCode: boolean;
  readonly #qualityDetails = new QualityDetails();

  // Values of one message mostly have the same time; the last one that was read and found good.
  #lastTimestamp = '';
  #lastTimeMs = Number.NaN;

  readonly #time: TimeReader;
  readonly #timeSource: TimeSource & { receivedAtMs: number };
  readonly #quality: QualityReader;
  readonly #meaningOf: ReturnType<typeof compileTextMeanings>;

  constructor(meanings: ValueMeanings = {}, keepsQualityCode = false) {
    this.#keepsQualityCode = keepsQualityCode;
    const { numbersInText = false, decimalComma = false, words = {} } = meanings;
    this.#time = compileTimeReader(meanings);
    this.#timeSource = {
      receivedAtMs: 0,
      // What is marked comes as a text of digits.
      exactDigits: () => undefined,
      needDigits: () => {
        this.#needsExact = true;
      },
    };
    this.#quality = compileQuality(meanings.quality, (given) =>
      typeof given === 'string' ? given : stringifyExactly(given, this.#marker),
    );
    this.#meaningOf = compileTextMeanings({ numbersInText, decimalComma, words });
  }

  /** `text` is the payload's. */
  begin(into: TagValues, text: string, marker = ''): void {
    into.clear();
    this.#into = into;
    this.#marker = marker;
    this.#needsExact = false;
    // The payload was valid UTF-8, so that only an escape can make half a surrogate pair.
    this.#mayBeBroken = text.includes('\\u');
  }

  /** Begins the message and has its parsed document expanded, once or twice. Gives what the last `expand` gave. */
  decodeJson(
    into: TagValues,
    json: string,
    document: unknown,
    expand: (document: unknown) => Reason | undefined,
  ): Reason | undefined {
    this.begin(into, json);
    const reason = expand(document);
    if (reason !== undefined || !this.#needsExact) return reason;
    const exact = markInexactNumbers(json);
    if (exact === undefined) return reasonFor('NUL_RUN_TOO_LONG');
    this.begin(into, json, exact.marker);
    return expand(JSON.parse(exact.text));
  }

  /** A number as text, with the digits of the document. */
  numberText(given: number): string {
    this.#checkPrecision(given);
    return String(given);
  }

  /** Time and quality of the values that have none of their own; undefined and null: the time of receipt, GOOD. */
  setDefaults(timestamp: unknown, quality: unknown, receivedAtMs: number): void {
    this.#timeSource.receivedAtMs = receivedAtMs;
    this.#defaultTimeMs = isAbsent(timestamp) ? receivedAtMs : this.#timeMs(timestamp);
    this.#defaultTimeProblem = this.#timeProblem(timestamp, this.#defaultTimeMs);
    this.#defaultQuality = isAbsent(quality) ? DEFAULT_QUALITY : this.#qualityText(quality);
    if (this.#keepsQualityCode) this.#defaultDetails = this.#detailsOf(quality);
  }

  /** Adds one value: a JSON scalar or an object `{ value, timestamp, quality }`, whose other keys mean nothing. */
  push(named: NamedTag, given: unknown): void {
    if (typeof given === 'number') this.#pushDouble(named, given);
    else if (isJsonObject(given)) this.#pushObject(named, given);
    else this.#pushOther(named, given);
  }

  /** Adds a number as it is written, of any length. */
  pushNumber(named: NamedTag, literal: string): void {
    const number = Number(literal) + 0;
    const isFinite = Number.isFinite(number);
    this.#add(
      named,
      isFinite ? number : Number.NaN,
      isFinite && !isInexactInteger(literal, number) ? null : literal,
      isFinite ? undefined : reasonFor('VALUE_NOT_FINITE', literal),
    );
  }

  /** The digits of a number, where marking has made a string of it; anything else as it is. */
  unmark(given: unknown): unknown {
    return this.#isMarked(given) ? given.slice(this.#marker.length) : given;
  }

  #add(named: NamedTag, number: number, text: string | null, problem: Reason | undefined): void {
    if (this.#keepsQualityCode) this.#into.describe(this.#defaultDetails);
    this.#into.push(
      named.tag,
      number,
      text,
      this.#defaultTimeMs,
      this.#defaultQuality,
      named.problem ?? problem ?? this.#defaultTimeProblem,
    );
  }

  #pushDouble(named: NamedTag, given: number): void {
    this.#checkPrecision(given);
    // -0 is 0: Oracle has one zero only, in NUMBER and in BINARY_DOUBLE.
    this.#add(named, given + 0, null, undefined);
  }

  #pushOther(named: NamedTag, given: unknown): void {
    if (given === null) this.#add(named, Number.NaN, null, undefined);
    else if (typeof given === 'boolean') this.#add(named, given ? 1 : 0, null, undefined);
    else if (typeof given !== 'string') this.#pushNotScalar(named, given);
    else if (this.#isMarked(given)) this.pushNumber(named, given.slice(this.#marker.length));
    else this.#pushText(named, given);
  }

  #pushText(named: NamedTag, given: string): void {
    const text = unpadded(given);
    const meaning = this.#meaningOf?.(text);
    if (typeof meaning === 'string') this.pushNumber(named, meaning);
    else if (meaning !== undefined) this.#add(named, meaning ?? Number.NaN, null, undefined);
    else if (this.#mayBeBroken && isBrokenText(text)) {
      this.#add(named, Number.NaN, JSON.stringify(text), reasonFor('TEXT_NOT_UNICODE'));
    } else this.#add(named, Number.NaN, text, undefined);
  }

  /** The object's own time and quality stand in for the message's while its value is added. */
  #pushObject(named: NamedTag, given: JsonObject): void {
    const timeMs = this.#defaultTimeMs;
    const timeProblem = this.#defaultTimeProblem;
    const quality = this.#defaultQuality;
    const details = this.#defaultDetails;
    const ownTime = given['timestamp'];
    const ownQuality = given['quality'];
    if (!isAbsent(ownTime)) {
      this.#defaultTimeMs = this.#timeMs(ownTime);
      this.#defaultTimeProblem = this.#timeProblem(ownTime, this.#defaultTimeMs);
    }
    if (!isAbsent(ownQuality)) {
      this.#defaultQuality = this.#qualityText(ownQuality);
      if (this.#keepsQualityCode) this.#defaultDetails = this.#detailsOf(ownQuality);
    }

    const value = given['value'];
    if (value === undefined) this.#pushNotScalar(named, given);
    else if (typeof value === 'number') this.#pushDouble(named, value);
    else this.#pushOther(named, value);

    this.#defaultTimeMs = timeMs;
    this.#defaultTimeProblem = timeProblem;
    this.#defaultQuality = quality;
    this.#defaultDetails = details;
  }

  /** Its text keeps the digits of the numbers in it, so only a second pass can give it. */
  #pushNotScalar(named: NamedTag, given: unknown): void {
    this.#needsExact = true;
    const text = this.#marker === '' ? null : stringifyExactly(given, this.#marker);
    this.#add(named, Number.NaN, text, reasonFor('VALUE_NOT_SCALAR', given));
  }

  #checkPrecision(given: number): void {
    if (given > Number.MAX_SAFE_INTEGER || given < -Number.MAX_SAFE_INTEGER) this.#needsExact = true;
  }

  #timeMs(given: unknown): number {
    if (given !== this.#lastTimestamp) {
      const timeMs = this.#time.read(this.unmark(given), this.#timeSource);
      if (typeof given !== 'string' || Number.isNaN(timeMs)) return timeMs;
      this.#lastTimestamp = given;
      this.#lastTimeMs = timeMs;
    }
    return this.#lastTimeMs;
  }

  #timeProblem(given: unknown, timeMs: number): Reason | undefined {
    return Number.isNaN(timeMs) ? this.#time.problem(this.unmark(given)) : undefined;
  }

  #qualityText(given: unknown): string {
    if (typeof given === 'number') this.#checkPrecision(given);
    return this.#quality(this.unmark(given));
  }

  #detailsOf(quality: unknown): ValueDetails | null {
    return this.#qualityDetails.of(qualityCodeOf(this.unmark(quality)));
  }

  #isMarked(given: unknown): given is string {
    return this.#marker !== '' && typeof given === 'string' && given.startsWith(this.#marker);
  }
}

function isAbsent(given: unknown): given is null | undefined {
  return given === undefined || given === null;
}
