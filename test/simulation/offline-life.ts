import { OfflineReplay } from '../../src/offline-replay.ts';
import { DestinationSessions } from '../../src/oracle/destination-sessions.ts';
import { destinationsOf } from '../../src/config/destinations.ts';
import { MAX_TEXT_BYTES } from '../../src/oracle/statements.ts';
import type { BridgeLifeOptions } from './bridge-life.ts';
import { Life } from './sim-clock.ts';
import { BRIDGE_ID, simConfig, SIM_RESERVE_BYTES } from './sim-config.ts';
import { SimConnections } from './sim-connections.ts';
import { SimLogger } from './sim-logger.ts';

export type OfflineLifeOptions = Pick<
  BridgeLifeOptions,
  'plan' | 'setup' | 'time' | 'random' | 'disk' | 'database' | 'onOver' | 'trace'
>;

const POLL_MS = 300;

/**
 * One process of `backups replay`, while no bridge runs: all backups that are there, until each is replayed or one has
 * to wait.
 */
export class OfflineLife {
  readonly #options: OfflineLifeOptions;
  readonly #life: Life;
  readonly #connections: SimConnections;
  readonly #offline: OfflineReplay;

  constructor(options: OfflineLifeOptions) {
    const { plan, time, random, disk, database, trace } = options;
    this.#options = options;
    this.#life = new Life(time, random);
    this.#connections = new SimConnections(database, this.#life);
    const config = simConfig(plan, options.setup);
    const destinations = destinationsOf(config.oracle);
    const oracle = { ...config.oracle, destinations, bridgeId: BRIDGE_ID };
    const sessions = new DestinationSessions((name) => this.#connections.for(name), oracle);
    this.#offline = new OfflineReplay(config, {
      clock: this.#life,
      fileSystem: disk.mount(this.#life),
      lock: { acquire: () => Promise.resolve(), release: () => Promise.resolve() },
      database: (journalId, destination) => sessions.live(journalId, destination),
      replaySession: (stream, destination, blamesRows) => sessions.replay(stream, destination, blamesRows),
      maxTextBytes: MAX_TEXT_BYTES,
      reserveBytes: SIM_RESERVE_BYTES,
      log: new SimLogger(trace),
    });
  }

  start(): void {
    this.#options.trace(() => 'offline replay: starts');
    this.#life.setTimer(0, () => void this.#run());
  }

  /** Nothing of it runs on from here. */
  kill(): void {
    this.#life.end();
    this.#connections.cut();
  }

  async #run(): Promise<void> {
    const { trace, onOver } = this.#options;
    try {
      await this.#offline.start();
      await this.#replayAll();
    } catch (error) {
      trace(() => `offline replay: ${String(error)}`);
    }
    await this.#offline.stop();
    if (this.#life.isOver) return;
    trace(() => 'offline replay: over');
    this.kill();
    onOver();
  }

  async #replayAll(): Promise<void> {
    const { backups, replays } = this.#offline;
    const files = backups.files().flatMap(({ kind, name }) => (kind === 'backup' ? [name] : []));
    for (const file of files) await replays.request(file);
    const stateOf = (file: string): string | undefined => replays.requestState(file)?.state;
    while (files.some((file) => /queued|replaying/.test(stateOf(file) ?? ''))) {
      if (files.some((file) => stateOf(file) === 'waiting')) return;
      await new Promise<void>((resolve) => this.#life.setTimer(POLL_MS, resolve));
    }
  }
}
