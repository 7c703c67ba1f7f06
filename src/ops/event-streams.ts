import type { ServerResponse } from 'node:http';

import type { CancelTimer, Clock } from '../core/clock.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import { plain, type Answer } from './answers.ts';
import type { History } from './history.ts';

export interface EventStreamsOptions {
  readonly clock: Clock;
  readonly history: Pick<History, 'taken' | 'newest'>;
  /** Asked once a second for all streams together, while there are any. */
  readonly status: () => object;
  readonly backups: () => readonly object[];
  readonly log: Logger;
}

interface Stream {
  readonly response: ServerResponse;
  /** The list of backups that the peer was sent last. */
  backups: string;
  samples: number;
  /** How long in a row the peer has had something left to read. */
  stuckSeconds: number;
}

const EVERY_MS = 1000;
const MAX_STREAMS = 20;
const MAX_STUCK_SECONDS = 10;
/** How long a browser waits before it connects again. */
const RETRY_MS = 2000;

/**
 * The streams of `/api/events` (server-sent events, WHATWG HTML §9.2): the status each second, the backups and the
 * newest sample of the history when they have changed.
 *
 * A peer gets nothing new before it has read what was sent, so that no more than one event of each kind waits in memory
 * for each peer. A peer that reads nothing for 10 s is cut off.
 */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #failed: RepeatedError;
  readonly #streams = new Set<Stream>();
  #cancel: CancelTimer | undefined;
  #isStopped = false;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
    this.#failed = new RepeatedError(options.log, options.clock, 'event stream failed');
  }

  get count(): number {
    return this.#streams.size;
  }

  answer(): Answer {
    if (this.#isStopped) return plain(503, 'the bridge is stopping');
    if (this.#streams.size >= MAX_STREAMS) return plain(503, `there are ${MAX_STREAMS} event streams already`);
    const headers = { 'x-accel-buffering': 'no' };
    const body = { follow: (response: ServerResponse) => this.#follow(response) };
    return { status: 200, contentType: 'text/event-stream; charset=utf-8', body, headers };
  }

  /** Ends all streams. There will be no more. */
  stop(): void {
    this.#isStopped = true;
    for (const { response } of this.#streams) response.end();
    this.#streams.clear();
    this.#rest();
  }

  #follow(response: ServerResponse): void {
    if (this.#isStopped || response.destroyed) {
      response.end();
      return;
    }
    const stream = { response, backups: '', samples: this.#options.history.taken, stuckSeconds: 0 };
    this.#streams.add(stream);
    response.on('close', () => this.#letGo(stream));
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#trySend([stream]);
    this.#cancel ??= this.#tickLater();
  }

  #letGo(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#rest();
  }

  #rest(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #tickLater(): CancelTimer {
    return this.#options.clock.setTimer(EVERY_MS, () => {
      this.#cancel = this.#tickLater();
      this.#trySend([...this.#streams].filter((stream) => this.#hasRead(stream)));
    });
  }

  /** Catches what goes wrong: a page that looks on must not end the bridge. */
  #trySend(streams: readonly Stream[]): void {
    try {
      this.#send(streams);
    } catch (error) {
      this.#failed.report({ error });
      for (const { response } of streams) response.destroy();
    }
  }

  #hasRead(stream: Stream): boolean {
    const { response } = stream;
    stream.stuckSeconds = response.writableLength === 0 ? 0 : stream.stuckSeconds + 1;
    if (stream.stuckSeconds >= MAX_STUCK_SECONDS) response.destroy();
    return stream.stuckSeconds === 0;
  }

  #send(streams: readonly Stream[]): void {
    if (streams.length === 0) return;
    const { history, status } = this.#options;
    const backups = JSON.stringify(this.#options.backups());
    const statusEvent = event('status', JSON.stringify(status()));
    for (const stream of streams) {
      let text = statusEvent;
      if (stream.backups !== backups) text += event('backups', backups);
      if (stream.samples !== history.taken) text += event('sample', JSON.stringify(history.newest));
      stream.backups = backups;
      stream.samples = history.taken;
      stream.response.write(text);
    }
  }
}

/** An event as the stream has it. `data` is JSON: it has no line ends, which would end the event. */
function event(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
