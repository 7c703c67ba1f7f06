import type { CancelTimer, Clock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { rebirthRequest, verifiedDeath } from './commands.ts';
import type { NodeCommands, NodeName } from './node-commands.ts';
import { commandTopic, deathTopic } from './topic.ts';

export interface RebirthsOptions {
  /** Publishes at QoS 0, not retained. Rejects where there is no connection. */
  readonly send: (topic: string, payload: Buffer) => Promise<void>;
  /** Gives the pipeline a message of the bridge's own, as if the broker had delivered it. */
  readonly inject: (topic: string, payload: Buffer) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An edge node needs a while to be born, and answers that come sooner are of the request before. */
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 600_000;
const PAUSE_WITHOUT_CONNECTION_MS = 1000;
/** So long an edge node may be silent that a doubtful death was told of. */
const DOUBT_MS = 10_000;
const MAX_NODES = 10_000;

interface Wanted {
  readonly name: NodeName;
  /** Requests since its last birth. */
  asked: number;
  notBeforeMs: number;
  dueMs: number;
  isGap: boolean;
  cancel: CancelTimer | undefined;
}

/**
 * Asks edge nodes for their births: at once or after a while, each node again only after a pause that doubles as long
 * as it is not born. An edge node that never answers is asked every ten minutes, and only while its messages give
 * cause.
 */
export class Rebirths implements NodeCommands {
  readonly #options: RebirthsOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #doubts = new Map<string, CancelTimer>();
  #isStopped = false;

  constructor(options: RebirthsOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#isStopped = true;
    for (const { cancel } of this.#wanted.values()) cancel?.();
    for (const cancel of this.#doubts.values()) cancel();
    this.#wanted.clear();
    this.#doubts.clear();
  }

  wantBirth(name: NodeName, why: string, afterMs: number): void {
    if (this.#isStopped) return;
    const wanted = this.#of(name);
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const dueMs = Math.max(nowMs + afterMs, wanted.notBeforeMs);
    if (wanted.cancel !== undefined && wanted.dueMs <= dueMs) return;
    wanted.cancel?.();
    wanted.dueMs = dueMs;
    wanted.isGap = afterMs > 0;
    wanted.cancel = clock.setTimer(dueMs - nowMs, () => void this.#ask(wanted, why));
  }

  satisfied(name: NodeName): void {
    const wanted = this.#wanted.get(keyOf(name));
    if (wanted?.isGap === true) cancelOf(wanted);
  }

  born(name: NodeName): void {
    const wanted = this.#wanted.get(keyOf(name));
    if (wanted === undefined) return;
    cancelOf(wanted);
    wanted.asked = 0;
  }

  doubtDeath(name: NodeName, messageNo: number): void {
    if (this.#isStopped) return;
    this.lives(name);
    const { clock, inject, log } = this.#options;
    const cancel = clock.setTimer(DOUBT_MS, () => {
      this.#doubts.delete(keyOf(name));
      log.info('edge node is silent after a doubtful death: it is taken for dead', { ...name });
      inject(deathTopic(name.group, name.node), verifiedDeath(messageNo));
    });
    this.#doubts.set(keyOf(name), cancel);
  }

  lives(name: NodeName): void {
    this.#doubts.get(keyOf(name))?.();
    this.#doubts.delete(keyOf(name));
  }

  #of(name: NodeName): Wanted {
    const key = keyOf(name);
    const known = this.#wanted.get(key);
    if (known !== undefined) return known;
    if (this.#wanted.size >= MAX_NODES) this.#forgetAll();
    const wanted = { name, asked: 0, notBeforeMs: 0, dueMs: 0, isGap: false, cancel: undefined };
    this.#wanted.set(key, wanted);
    return wanted;
  }

  #forgetAll(): void {
    for (const wanted of this.#wanted.values()) cancelOf(wanted);
    this.#wanted.clear();
  }

  async #ask(wanted: Wanted, why: string): Promise<void> {
    const { clock, log, send } = this.#options;
    const { group, node } = wanted.name;
    wanted.cancel = undefined;
    wanted.notBeforeMs = clock.monotonic() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** wanted.asked);
    wanted.asked += 1;
    try {
      await send(commandTopic(group, node), rebirthRequest(clock.now()));
      log.info('edge node is asked for its births', { group, node, why });
    } catch (error) {
      wanted.asked -= 1;
      wanted.notBeforeMs = clock.monotonic() + PAUSE_WITHOUT_CONNECTION_MS;
      // The cause may have been the only one there is.
      const { isGap } = wanted;
      this.wantBirth(wanted.name, why, 0);
      wanted.isGap = isGap;
      log.debug('edge node could not be asked for its births', { group, node, why, error: coerceError(error) });
    }
  }
}

function cancelOf(wanted: Wanted): void {
  wanted.cancel?.();
  wanted.cancel = undefined;
}

function keyOf({ group, node }: NodeName): string {
  return `${group}/${node}`;
}
