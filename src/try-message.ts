import { TimeWriter } from './backup/csv/time-text.ts';
import type { Config } from './config/config.ts';
import { destinationsOf, type DestinationKeys } from './config/destinations.ts';
import { detailNeeds, type TableColumn } from './core/columns.ts';
import { coerceError, type Reason } from './core/errors.ts';
import { TagValues } from './core/tag-values.ts';
import type { TakingSubscription, TriedMessage, TriedRow } from './core/tried-message.ts';
import { plural } from './core/wording.ts';
import { createDecoder, type Decoder, type Route } from './payload/decoder.ts';
import { compileRules } from './payload/filter/band-rules.ts';
import { ExceptionFilter } from './payload/filter/exception-filter.ts';
import { checkRows, rowCheckOf, type RowCheckOptions } from './writer/row-check.ts';

/** What decides on the rows of a message. */
export interface TrialConfig {
  readonly tagName: string;
  readonly mqtt: Pick<Config['mqtt'], 'subscriptions'>;
  readonly oracle: DestinationKeys;
}

export interface TriedPayload {
  readonly topic: string;
  readonly payload: Buffer;
  readonly receivedAtMs: number;
}

const INITIAL_CAPACITY = 64;
const MAX_NAMES = 5;
const IMPLAUSIBLE_FATES = {
  accept: 'it is written so, and the status says so',
  receivedAt: 'it is written with the time of receipt',
  reject: 'it is rejected',
} as const;

/**
 * Messages decoded and checked as the running bridge does it, and written nowhere. One trial keeps what its messages
 * tell of later ones, as a birth does.
 */
export class MessageTrial {
  readonly #config: TrialConfig;
  /** By the destination. */
  readonly #rowChecks: ReadonlyMap<string, RowCheckOptions>;
  readonly #decoder: Decoder;
  readonly #filter: ExceptionFilter;
  /** Names of tags of the message at hand that are not wanted. */
  #unwanted: string[] = [];
  #messages = 0;

  /** `maxTextBytes`: the most UTF-8 bytes of any text. */
  constructor(config: TrialConfig, maxTextBytes: number) {
    const { oracle } = config;
    this.#config = config;
    const destinations = destinationsOf(oracle);
    this.#rowChecks = new Map(destinations.map((each) => [each.name, rowCheckOf(each, maxTextBytes)]));
    const onLeftOut = ({ name }: { readonly name: string }): unknown => this.#unwanted.push(name);
    this.#decoder = createDecoder(config.mqtt.subscriptions, config.tagName, {
      onLeftOut,
      keeps: detailNeeds(destinations),
    });
    this.#filter = new ExceptionFilter(config.mqtt.subscriptions);
  }

  /** `maxRows`: so many rows are given at most. */
  try({ topic, payload, receivedAtMs }: TriedPayload, maxRows = Number.POSITIVE_INFINITY): TriedMessage {
    const values = new TagValues(INITIAL_CAPACITY);
    const subscription = this.#subscriptionOf(topic);
    const about = { topic, bytes: payload.length, subscription, rowCount: 0, rejectedCount: 0, rows: [] };
    this.#messages += 1;
    this.#unwanted = [];
    const message = { number: this.#messages, topic, payload, receivedAtMs };
    const outcome = this.#decode(message, values);
    if (typeof outcome === 'object') return { ...about, outcome: 'undecodable', reason: outcome };
    if (outcome !== undefined) return { ...about, outcome };
    const names = destinationNames(values);
    const refused = this.#refusedOf(values, names);
    const count = Math.min(values.length, maxRows);
    const rows = Array.from({ length: count }, (_, i) => this.#rowOf(values, i, names[i]!, refused.get(i)));
    const tried = { ...about, outcome: 'rows' as const, rowCount: values.length, rejectedCount: refused.size, rows };
    const notes = this.#notesOf(message, values);
    return notes.length === 0 ? tried : { ...tried, notes };
  }

  /** What would be rejected, by its index. */
  #refusedOf(values: TagValues, names: readonly string[]): ReadonlyMap<number, Reason> {
    const refused = new Map<number, Reason>();
    for (const [destination, options] of this.#rowChecks) {
      if (!names.includes(destination)) continue;
      for (const { index, reason } of checkRows(values, options)) {
        if (names[index] === destination) refused.set(index, reason);
      }
    }
    return refused;
  }

  #rowOf(values: TagValues, i: number, destination: string, problem: Reason | undefined): TriedRow {
    const { further = [] } = this.#rowChecks.get(destination) ?? {};
    const row = rowOf(values, i, further);
    return {
      ...row,
      ...(this.#rowChecks.size === 1 ? {} : { destination }),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  /** Leaves in the list what the filters would. */
  #notesOf(message: Parameters<Decoder['decode']>[0], values: TagValues): string[] {
    const route = this.#decoder.routeOf(message.topic);
    const unwanted = this.#unwanted.length;
    const notes = unwanted === 0 ? [] : [`${plural(unwanted, 'value')} left out by name: ${some(this.#unwanted)}`];
    const [first] = values.implausible;
    if (first !== undefined) notes.push(implausibleNote(values, first, route));
    if (route === undefined || compileRules(route) === undefined) return notes;
    const names = values.tags.slice(0, values.length).map(({ name }) => name);
    const all = [...values.valueNos.subarray(0, values.length)];
    this.#filter.apply(message, route, values);
    const left = new Set(values.valueNos.subarray(0, values.length));
    const out = names.filter((_, i) => !left.has(all[i]!));
    if (out.length > 0) {
      notes.push(`${plural(out.length, 'value')} within the deadband around those before, and left out: ${some(out)}`);
    } else {
      notes.push('values within the deadband around the last ones that were written are left out; here none is known');
    }
    return notes;
  }

  /** A decoder that throws is a bug in it, and is told as the running bridge tells it. */
  #decode(message: Parameters<Decoder['decode']>[0], into: TagValues): Reason | 'skipped' | undefined {
    try {
      return this.#decoder.decode(message, into);
    } catch (thrown) {
      return { code: 'INTERNAL', message: `the decoder failed: ${coerceError(thrown).message}` };
    }
  }

  #subscriptionOf(topic: string): TakingSubscription | null {
    const route = this.#decoder.routeOf(topic);
    if (route === undefined) return null;
    const index = this.#config.mqtt.subscriptions.findIndex((each) => each.topic === route.topic);
    return { index, topic: route.topic, format: route.format };
  }
}

function rowOf(values: TagValues, i: number, further: readonly TableColumn[]): TriedRow {
  const { address, name, plcCode } = values.tags[i]!;
  const number = values.numbers[i]!;
  const timestamp = new TimeWriter().text(values.timesMs[i]!);
  return {
    tagName: name,
    value: Number.isNaN(number) ? null : number,
    text: values.texts[i]!,
    timestamp: timestamp === '' ? null : timestamp,
    quality: values.qualities[i]!,
    plcCode,
    tagAddress: address,
    ...(further.length === 0 ? {} : { columns: Object.fromEntries(further.map((each) => shown(each, values, i))) }),
  };
}

/** Whom each of the values is for. */
function destinationNames(values: TagValues): readonly string[] {
  return values.parts.flatMap(({ destination, end, start }) => Array.from({ length: end - start }, () => destination));
}

function implausibleNote(values: TagValues, [i, timeMs]: readonly [number, number], route: Route | undefined): string {
  const { size } = values.implausible;
  const time = new TimeWriter().text(timeMs);
  const fate = IMPLAUSIBLE_FATES[route?.onImplausibleTime ?? 'accept'];
  return `${plural(size, 'value')} with a time too far from that of receipt, here now: ${values.tags[i]!.name} at ${time}; ${fate}`;
}

function some(names: readonly string[]): string {
  return names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ' …' : '');
}

/** A further column, with its time as a text. */
function shown({ content, name }: TableColumn, values: TagValues, i: number): [string, string | number | null] {
  const found = content.read(values, i);
  const isTime = content.holds === 'time' && typeof found === 'number';
  return [name, isTime ? new TimeWriter().text(found) : found];
}
