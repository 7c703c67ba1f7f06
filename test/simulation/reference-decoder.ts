import type { Message } from '../../src/core/message.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import { createDecoder, type Decoder, type Route } from '../../src/payload/decoder.ts';
import type { ExpectedValue, Payload } from './payloads.ts';
import { identitiesOf } from './sim-statements.ts';
import { contentOf } from './verdict.ts';

/** What became of a message: its rows, or undefined where it can't be decoded. */
type Outcome = readonly string[] | undefined;

/**
 * A decoder that never crashes, beside the bridge's: it reads each message of the journal once, in order. What the
 * bridge makes of a message, after however many crashes, has to be what this one makes of it.
 */
export class ReferenceDecoder {
  readonly problems: string[] = [];
  readonly #decoder: Decoder;
  readonly #byNumber = new Map<number, Outcome>();
  readonly #byContent = new Map<string, Outcome>();
  #lastNumber = 0;

  constructor(routes: readonly Route[]) {
    this.#decoder = createDecoder(routes, '{plc}.{tag}');
  }

  /** The bridge has decoded the message; undefined: it could not. */
  compare(message: Message, values: TagValues | undefined): void {
    const { number, topic, payload } = message;
    if (number > this.#lastNumber) {
      this.#lastNumber = number;
      const outcome = this.#decode(message);
      this.#byNumber.set(number, outcome);
      const content = contentOf(topic, payload);
      if (!this.#byContent.has(content)) this.#byContent.set(content, outcome);
    } else if (!this.#byNumber.has(number)) {
      this.problems.push(`message ${number} was passed over at first`);
    }
    const expected = JSON.stringify(this.#byNumber.get(number)) ?? 'undecodable';
    const found = values === undefined ? 'undecodable' : JSON.stringify(identitiesOf(values));
    if (found !== expected) this.problems.push(`message ${number} on ${topic} became ${found}, not ${expected}`);
  }

  /** The payload with what has to come of it; one that was never decoded has to have been lost with its session. */
  expectationOf(payload: Payload): Payload {
    const content = contentOf(payload.topic, payload.bytes);
    if (!this.#byContent.has(content))
      return { ...payload, values: [{ identity: `never read: ${content}`, place: 'table' }] };
    const values = this.#byContent.get(content)?.map((identity): ExpectedValue => ({ identity, place: 'table' }));
    return { ...payload, values };
  }

  #decode(message: Message): Outcome {
    const values = new TagValues(4);
    const reason = this.#decoder.decode(message, values);
    return reason === undefined ? identitiesOf(values) : undefined;
  }
}
