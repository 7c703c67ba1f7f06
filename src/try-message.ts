import { TimeWriter } from './backup/csv/time-text.ts';
import type { Config } from './config/config.ts';
import { detailNeeds, type TableColumn } from './core/columns.ts';
import { coerceError, type Reason } from './core/errors.ts';
import { TagValues } from './core/tag-values.ts';
import type { TakingSubscription, TriedMessage, TriedRow } from './core/tried-message.ts';
import { createDecoder, type Decoder } from './payload/decoder.ts';
import { checkRows, rowCheckOf, type CheckedTable, type RowCheckOptions } from './writer/row-check.ts';

/** What decides on the rows of a message. */
export interface TrialConfig {
  readonly tagName: string;
  readonly mqtt: Pick<Config['mqtt'], 'subscriptions'>;
  readonly oracle: CheckedTable;
}

export interface TriedPayload {
  readonly topic: string;
  readonly payload: Buffer;
  readonly receivedAtMs: number;
}

const INITIAL_CAPACITY = 64;

/**
 * Messages decoded and checked as the running bridge does it, and written nowhere. One trial keeps what its messages
 * tell of later ones, as a birth does.
 */
export class MessageTrial {
  readonly #config: TrialConfig;
  readonly #rowCheck: RowCheckOptions;
  readonly #decoder: Decoder;
  #messages = 0;

  /** `maxTextBytes`: the most UTF-8 bytes of any text. */
  constructor(config: TrialConfig, maxTextBytes: number) {
    const { oracle } = config;
    this.#config = config;
    this.#rowCheck = rowCheckOf(oracle, maxTextBytes);
    this.#decoder = createDecoder(config.mqtt.subscriptions, config.tagName, { keeps: detailNeeds([oracle]) });
  }

  /** `maxRows`: so many rows are given at most. */
  try({ topic, payload, receivedAtMs }: TriedPayload, maxRows = Number.POSITIVE_INFINITY): TriedMessage {
    const values = new TagValues(INITIAL_CAPACITY);
    const subscription = this.#subscriptionOf(topic);
    const about = { topic, bytes: payload.length, subscription, rowCount: 0, rejectedCount: 0, rows: [] };
    this.#messages += 1;
    const outcome = this.#decode({ number: this.#messages, topic, payload, receivedAtMs }, values);
    if (typeof outcome === 'object') return { ...about, outcome: 'undecodable', reason: outcome };
    if (outcome !== undefined) return { ...about, outcome };
    const refused = new Map(checkRows(values, this.#rowCheck).map(({ index, reason }) => [index, reason]));
    const count = Math.min(values.length, maxRows);
    const { further = [] } = this.#rowCheck;
    const rows = Array.from({ length: count }, (_, i) => rowOf(values, i, further, refused.get(i)));
    return { ...about, outcome: 'rows', rowCount: values.length, rejectedCount: refused.size, rows };
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

function rowOf(values: TagValues, i: number, further: readonly TableColumn[], problem: Reason | undefined): TriedRow {
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
    ...(problem === undefined ? {} : { problem }),
  };
}

/** A further column, with its time as a text. */
function shown({ content, name }: TableColumn, values: TagValues, i: number): [string, string | number | null] {
  const found = content.read(values, i);
  const isTime = content.holds === 'time' && typeof found === 'number';
  return [name, isTime ? new TimeWriter().text(found) : found];
}
