import { fork, type ChildProcess } from 'node:child_process';

/** Seeds for a worker, one after the other. */
export interface Chunk {
  readonly from: number;
  readonly count: number;
}

export interface Failure {
  readonly seed: number;
  readonly problems: readonly string[];
  /** The trace, or nothing where the worker did not survive it. */
  readonly story: readonly string[];
}

/** What a worker says: which seed it begins, which one failed, and that a chunk is done. */
export type WorkerMessage =
  { readonly seed: number } | { readonly failure: Failure } | { readonly schedules: number; readonly steps: number };

interface ChunkResult {
  readonly schedules: number;
  readonly steps: number;
  readonly failures: readonly Failure[];
}

export interface FleetOptions {
  readonly from: number;
  readonly count: number;
  readonly workers: number;
  /** After so many failures no more seeds are run. */
  readonly maxFailures: number;
  /** Ends the run with what was done so far. */
  readonly signal: AbortSignal;
  readonly onFailure: (failure: Failure) => void;
  /** A schedule that takes longer hangs. */
  readonly hangsAfterMs?: number;
  /** Stands in for `fleet-worker.ts`. */
  readonly worker?: URL;
}

export interface Tally {
  schedules: number;
  steps: number;
  failures: number;
}

const CHUNK_SEEDS = 50;
/** What a schedule leaves behind in the runtime (compiled code, shapes) stays bounded. */
const SEEDS_A_WORKER = 20_000;
const HANGS_AFTER_MS = 180_000;
/** Nearly all objects die within their schedule: with room for those of one there is little to collect. */
const EXEC_ARGV = ['--import', 'tsx', '--max-semi-space-size=32', '--max-old-space-size=1024'];
const WORKER = new URL('fleet-worker.ts', import.meta.url);

/**
 * Runs seeds in worker processes, in chunks that each one gets when it is done with the last. A seed that kills its
 * worker or never ends is a failure like any other: the worker is replaced, and goes on behind it.
 */
export class Fleet {
  readonly tally: Tally = { schedules: 0, steps: 0, failures: 0 };
  readonly #options: FleetOptions;
  #next: number;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#next = options.from;
  }

  /** Resolves when all seeds are done, enough have failed, or it was aborted. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.workers }, () => this.#keepBusy()));
  }

  async #keepBusy(): Promise<void> {
    const { signal } = this.#options;
    let worker: FleetWorker | undefined;
    for (let chunk = this.#nextChunk(); chunk !== undefined;) {
      worker ??= new FleetWorker(this.#options);
      const result = await worker.run(chunk, signal);
      if (signal.aborted) break;
      this.#add(result);
      if (worker.isOver || worker.seeds >= SEEDS_A_WORKER) {
        worker.end();
        worker = undefined;
      }
      const rest = chunk.count - result.schedules;
      const isEnough = this.tally.failures >= this.#options.maxFailures;
      chunk = rest > 0 && !isEnough ? { from: chunk.from + result.schedules, count: rest } : this.#nextChunk();
    }
    worker?.end();
  }

  #nextChunk(): Chunk | undefined {
    const { from, count, maxFailures, signal } = this.#options;
    const left = from + count - this.#next;
    if (left <= 0 || signal.aborted || this.tally.failures >= maxFailures) return undefined;
    const chunk = { from: this.#next, count: Math.min(left, CHUNK_SEEDS) };
    this.#next += chunk.count;
    return chunk;
  }

  #add({ schedules, steps, failures }: ChunkResult): void {
    this.tally.schedules += schedules;
    this.tally.steps += steps;
    this.tally.failures += failures.length;
    for (const failure of failures) this.#options.onFailure(failure);
  }
}

class FleetWorker {
  /** Given to it so far. */
  seeds = 0;
  /** It died, or has to be ended because it hangs. */
  isOver = false;
  readonly #hangsAfterMs: number;
  readonly #process: ChildProcess;

  constructor({ worker = WORKER, hangsAfterMs = HANGS_AFTER_MS }: FleetOptions) {
    this.#hangsAfterMs = hangsAfterMs;
    this.#process = fork(worker, { execArgv: EXEC_ARGV });
  }

  /** The seeds up to one that ended the worker count as done, with that one as a failure; none when it is aborted. */
  run(chunk: Chunk, signal: AbortSignal): Promise<ChunkResult> {
    this.seeds += chunk.count;
    const failures: Failure[] = [];
    let seed = chunk.from;
    return new Promise((resolve) => {
      const settle = (schedules: number, steps: number): void => {
        clearTimeout(watch);
        signal.removeEventListener('abort', abort);
        this.#process.removeAllListeners();
        resolve({ schedules, steps, failures });
      };
      const fail = (problem: string): void => {
        this.isOver = true;
        failures.push({ seed, problems: [problem], story: [] });
        settle(seed - chunk.from + 1, 0);
      };
      const abort = (): void => settle(0, 0);
      const watch = setTimeout(() => fail(`does not end within ${this.#hangsAfterMs / 1000} s`), this.#hangsAfterMs);
      signal.addEventListener('abort', abort, { once: true });
      this.#process.on('exit', (code, by) => fail(`ended its process: ${by ?? `exit code ${code}`}`));
      this.#process.on('message', (message: WorkerMessage) => {
        watch.refresh();
        if ('seed' in message) seed = message.seed;
        else if ('failure' in message) failures.push(message.failure);
        else settle(message.schedules, message.steps);
      });
      this.#process.send(chunk);
    });
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }
}
