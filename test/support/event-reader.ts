import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

import { until } from './until.ts';

export interface ReadEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Reads server-sent events as a browser does. */
export class EventReader {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly events: ReadEvent[] = [];
  readonly #response: IncomingMessage;
  #text = '';
  #isOver = false;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode!;
    this.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    response.on('error', () => {}); // cut off
    response.on('close', () => (this.#isOver = true));
  }

  static async open(url: string): Promise<EventReader> {
    const [response] = (await once(get(url), 'response')) as [IncomingMessage];
    return new EventReader(response);
  }

  /** The other side has ended it, or cut it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  all(name: string): unknown[] {
    return this.events.filter((event) => event.name === name).map(({ data }) => data);
  }

  untilCount(name: string, count: number): Promise<unknown> {
    return until(`${count} events named ${name}`, () => this.all(name).length >= count);
  }

  close(): void {
    this.#response.destroy();
  }

  #take(text: string): void {
    const parts = (this.#text + text).split('\n\n');
    this.#text = parts.pop()!;
    for (const part of parts) {
      const lines = part.split('\n').map((line) => /^(?<field>\w+): (?<value>.*)$/.exec(line)?.groups ?? {});
      const name = lines.find(({ field }) => field === 'event')?.['value'];
      const data = lines.find(({ field }) => field === 'data')?.['value'];
      if (name !== undefined && data !== undefined) this.events.push({ name, data: JSON.parse(data) });
    }
  }
}
