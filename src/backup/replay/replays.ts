import { Replay, type ReplayOptions, type ReplayProgress } from './replay.ts';
export interface ReplaysOptions extends Omit<
  ReplayOptions,
  'isOracleUp' | 'beforeDelete' | 'counters' | 'session' | 'checkRows'
> {
  readonly isOracleUp: (destination: string) => boolean;
  readonly beforeDelete: (destination: string, messages: Parameters<ReplayOptions['beforeDelete']>[0]) => Promise<void>;
  readonly countersOf: (destination: string) => ReplayOptions['counters'] | undefined;
  readonly session: (
    stream: string,
    destination: string,
    blamesRows?: () => boolean,
  ) => ReturnType<ReplayOptions['session']>;
  readonly checkRows: (
    values: Parameters<ReplayOptions['checkRows']>[0],
    destination: string,
  ) => ReturnType<ReplayOptions['checkRows']>;
}
export class Replays {
  readonly #replay: Replay;
  constructor(o: ReplaysOptions) {
    this.#replay = new Replay({
      ...o,
      isOracleUp: () => o.isOracleUp('default'),
      beforeDelete: (m) => o.beforeDelete('default', m),
      counters: o.countersOf('default')!,
      session: (s, b) => o.session(s, 'default', b),
      checkRows: (v) => o.checkRows(v, 'default'),
    });
  }
  start(): void {
    this.#replay.start();
  }
  stop(): Promise<void> {
    return this.#replay.stop();
  }
  wake(_d?: string): void {
    this.#replay.wake();
  }
  tune(t: Parameters<Replay['tune']>[0]): void {
    this.#replay.tune(t);
  }
  progress(): ReplayProgress | undefined {
    return this.#replay.progress();
  }
  request(file: string): Promise<void> {
    return this.#replay.request(file);
  }
  requestState(file: string): ReturnType<Replay['requestState']> {
    return this.#replay.requestState(file);
  }
}
