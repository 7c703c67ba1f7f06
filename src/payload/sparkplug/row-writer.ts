import { MAX_TIME_MS, MIN_TIME_MS } from '../../core/limits.ts';
import type { Reason } from '../../core/errors.ts';
import type { TagValues } from '../../core/tag-values.ts';
import { QualityDetails } from '../quality.ts';
import { reasonFor } from '../reasons.ts';
import type { NamedTag, TagCatalog } from '../tag-name.ts';
import { aliasOf, Definition, isNameTooLong, type Born } from './births.ts';
import { forEachPart, Metric, readMetric, VALUE, type PayloadHead } from './metric.ts';
import { MetricValue } from './metric-value.ts';
import type { SparkplugOptions } from './options.ts';
import type { ProtoReader } from './proto-reader.ts';
import { MalformedError } from './proto-reader.ts';
import { MetricQuality } from './quality.ts';

/** A metric can't be read without a birth that is not known. */
export class UnknownMetricError extends Error {}

const TEMPLATE = { metrics: 2, isDefinition: 5 } as const;
const MAX_TEMPLATE_DEPTH = 16;
const STALE = 'STALE';
const BD_SEQ = 'bdSeq';

/**
 * Makes rows of the metrics of one message at a time: `begin`, then one of the others. They throw MalformedError, and
 * `data` UnknownMetricError: what rows there are does not count then.
 */
export class RowWriter {
  readonly #options: SparkplugOptions;
  readonly #isOwnTime: boolean;
  readonly #keepsQualityCode: boolean;
  readonly #tags: TagCatalog;
  readonly #reader: ProtoReader;
  readonly #metric = new Metric();
  readonly #value = new MetricValue();
  readonly #quality: MetricQuality;
  readonly #details = new QualityDetails();

  #into!: TagValues;
  /** Of the message. */
  plcCode = '';
  #payload!: Buffer;
  #receivedAtMs = 0;
  /** Of metrics that have none of their own. */
  #timeMs = 0;

  constructor(options: SparkplugOptions, tags: TagCatalog, reader: ProtoReader, keepsQualityCode: boolean) {
    this.#options = options;
    this.#keepsQualityCode = keepsQualityCode;
    this.#quality = new MetricQuality(options.quality);
    this.#isOwnTime = options.timestamp === 'metric';
    this.#tags = tags;
    this.#reader = reader;
  }

  begin(
    into: TagValues,
    { head, payload }: { readonly head: PayloadHead; readonly payload: Buffer },
    receivedAtMs: number,
    plcCode: string,
  ): void {
    this.#into = into;
    this.#payload = payload;
    this.plcCode = plcCode;
    this.#receivedAtMs = receivedAtMs;
    this.#timeMs = this.#options.timestamp === 'receipt' ? receivedAtMs : (head.timeMs ?? receivedAtMs);
  }

  /**
   * Notes in `born` what the birth declares, and writes its values where they are wanted. Gives its bdSeq as digits.
   */
  birth(payload: Buffer, born: Born, isWanted: boolean): string | undefined {
    const reader = this.#reader;
    const metric = this.#metric;
    let bdSeq: string | undefined;
    for (let at = 0; (at = readMetric(reader, payload, at, metric)) !== -1;) {
      const name = this.#textOf(metric.nameStart, metric.nameEnd);
      if (name === BD_SEQ) bdSeq = digitsIn(metric);
      const alias = metric.hasAlias ? aliasOf(metric.aliasLow, metric.aliasHigh) : undefined;
      const isTemplate = metric.valueField === VALUE.template;
      const definition = new Definition(name, Math.max(0, metric.datatype), alias, isTemplate);
      born.add(definition);
      if (isTemplate) this.#template(name, metric, { born, isBirth: true, isWanted, depth: 1 });
      else if (isWanted && definition.isRow) this.#push(definition, metric, definition.type);
    }
    return bdSeq;
  }

  /** Writes the values; `born` tells names and types, where it is known. */
  data(payload: Buffer, born: Born | undefined): void {
    const reader = this.#reader;
    const metric = this.#metric;
    for (let at = 0; (at = readMetric(reader, payload, at, metric)) !== -1;) {
      const definition = this.#definitionOf(metric, born);
      if (!definition.isRow) continue;
      if (metric.valueField === VALUE.template && !metric.isNull) {
        this.#template(definition.name, metric, { born, isBirth: false, isWanted: true, depth: 1 });
      } else {
        this.#push(definition, metric, metric.datatype > 0 ? metric.datatype : definition.type);
      }
    }
  }

  /**
   * A row without a value for each metric of a birth. The time is that of receipt: a death tells when it was prepared.
   */
  stale(born: Born | undefined, plcCode: string): void {
    for (const definition of born?.byName.values() ?? []) {
      if (!definition.isRow || definition.isTemplate) continue;
      const { problem, tag } = definition.tagOf(this.#tags, plcCode, this.#into.length);
      this.#into.push(tag, Number.NaN, null, this.#receivedAtMs, STALE, problem);
    }
  }

  /** As digits; undefined: there is none. */
  bdSeqOf(payload: Buffer): string | undefined {
    const metric = this.#metric;
    let bdSeq: string | undefined;
    for (let at = 0; (at = readMetric(this.#reader, payload, at, metric)) !== -1;) {
      if (this.#textOf(metric.nameStart, metric.nameEnd) === BD_SEQ) bdSeq = digitsIn(metric);
    }
    return bdSeq;
  }

  /** A name goes before an alias, and needs no birth as long as there is a type. */
  #definitionOf(metric: Metric, born: Born | undefined): Definition {
    if (metric.nameStart === -1 || metric.nameStart === metric.nameEnd) {
      if (!metric.hasAlias) throw new UnknownMetricError('a metric without name and alias');
      const known = born?.withAlias(metric.aliasLow, metric.aliasHigh);
      if (known !== undefined) return known;
      throw new UnknownMetricError(`alias ${aliasOf(metric.aliasLow, metric.aliasHigh)}`);
    }
    const name = this.#textOf(metric.nameStart, metric.nameEnd);
    return born?.byName.get(name) ?? this.#undeclared(name, metric);
  }

  /** Only the sign of an integer needs a declared type. */
  #undeclared(name: string, metric: Metric): Definition {
    const isInteger = metric.valueField === VALUE.int || metric.valueField === VALUE.long;
    if (isInteger && !metric.isNull && metric.datatype <= 0) throw new UnknownMetricError(`the type of ${name}`);
    return new Definition(name, metric.datatype, undefined);
  }

  /** The members of an instance, as `name/member`. A definition declares, and has no values. */
  #template(
    name: string,
    metric: Metric,
    how: { born: Born | undefined; isBirth: boolean; isWanted: boolean; depth: number },
  ): void {
    const { born, depth, isBirth, isWanted } = how;
    if (depth > MAX_TEMPLATE_DEPTH) throw new MalformedError('templates within templates, too deep,', metric.start);
    // It would stand at the beginning of each of its members' names: one row tells of all.
    if (isNameTooLong(name)) return isWanted ? this.#push(new Definition(name, 0, undefined), metric, 0) : undefined;
    const { start, end } = metric;
    // What a definition declares is no metric of the node.
    if (this.#isDefinition(start, end)) return undefined;
    const member = new Metric();
    forEachPart(this.#reader, this.#payload, start, end, TEMPLATE.metrics, (memberStart, memberEnd) => {
      member.read(this.#reader, memberStart, memberEnd);
      const path = `${name}/${this.#textOf(member.nameStart, member.nameEnd)}`;
      const isTemplate = member.valueField === VALUE.template && !member.isNull;
      const known = born?.byName.get(path);
      const type = member.datatype > 0 ? member.datatype : (known?.type ?? 0);
      const definition = known ?? new Definition(path, type, undefined, isTemplate);
      if (isBirth) born?.add(definition);
      if (isTemplate) this.#template(path, member, { ...how, depth: depth + 1 });
      else if (isWanted && definition.isRow) this.#push(definition, member, type);
    });
    return undefined;
  }

  #isDefinition(start: number, end: number): boolean {
    const reader = this.#reader;
    let isDefinition = false;
    reader.open(this.#payload, start, end);
    while (reader.next()) {
      if (reader.field === TEMPLATE.isDefinition) {
        reader.integer();
        isDefinition = reader.low !== 0;
      } else {
        reader.skip();
      }
    }
    return isDefinition;
  }

  #push(definition: Definition, metric: Metric, type: number): void {
    if (metric.valueField === VALUE.double && !metric.isNull && Number.isFinite(metric.double)) {
      // -0 is 0: Oracle has one zero only.
      this.#add(definition, metric, metric.double + 0, null, undefined);
    } else {
      const value = this.#value;
      value.read(this.#reader, metric, type);
      this.#add(definition, metric, value.number, value.text, value.problem);
    }
  }

  #add(
    definition: Definition,
    metric: Metric,
    number: number,
    text: string | null,
    valueProblem: Reason | undefined,
  ): void {
    const into = this.#into;
    const named: NamedTag = definition.tagOf(this.#tags, this.plcCode, into.length);
    const quality = this.#quality;
    quality.read(this.#reader, metric);
    if (this.#keepsQualityCode) into.describe(this.#details.of(quality.code));
    const ownMs = metric.timeMs;
    // NaN is not greater than anything: the metric has no time of its own then.
    const timeMs = this.#isOwnTime && ownMs >= 0 ? ownMs : this.#timeMs;
    const timeProblem = timeProblemOf(timeMs);
    const problem = named.problem ?? valueProblem ?? timeProblem;
    if (metric.isHistorical) into.historical.add(into.length);
    into.push(named.tag, number, text, timeProblem === undefined ? timeMs : Number.NaN, quality.text, problem);
  }

  #textOf(start: number, end: number): string {
    return start === -1 ? '' : this.#payload.toString('utf8', start, end);
  }
}

/** The time of receipt is NaN where it does not count. */
function timeProblemOf(timeMs: number): Reason | undefined {
  return timeMs < MIN_TIME_MS || timeMs > MAX_TIME_MS ? reasonFor('BAD_TIMESTAMP', timeMs) : undefined;
}

function digitsIn({ low, high, isNull, valueField }: Metric): string | undefined {
  if (isNull || (valueField !== VALUE.int && valueField !== VALUE.long)) return undefined;
  return String(aliasOf(low, high));
}
