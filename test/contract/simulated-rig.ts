import type { LedgerSession } from '../../src/core/ledger-session.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { Random } from '../simulation/random.ts';
import { Life, SimTime } from '../simulation/sim-clock.ts';
import { SimConnections } from '../simulation/sim-connections.ts';
import { SimDatabase, WELL, type DatabaseHealth } from '../simulation/sim-database.ts';
import { POISON_TEXT, REFUSED_TEXT } from '../simulation/sim-statements.ts';
import type { LostAnswer } from '../support/fake-store.ts';
import { SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { ascending, type Rig } from './rig.ts';

/** Chance that a test decides: the numbers of `next`, and then always the same. */
class SteeredRandom extends Random {
  upcoming: number[] = [];
  always = 0;

  constructor() {
    super(0);
  }

  override next(): number {
    return this.upcoming.shift() ?? this.always;
  }

  override fork(): Random {
    return this;
  }
}

interface Steering {
  /** While the call is sent. */
  readonly health: Partial<DatabaseHealth>;
  /** What chance says while the call is sent; with 0 it reaches the server, with almost 1 it does not. */
  readonly always: number;
  /** What chance says when the connection is lost: whether the server notices at once, and how much later otherwise. */
  readonly whenLost: number[];
}

const NOTICES_AT_ONCE = [0];
const NOTICES_LATER = [0.9, 0.1];

const STEERING: Readonly<Record<LostAnswer, Steering>> = {
  committed: { health: { cut: 1 }, always: 0, whenLost: NOTICES_AT_ONCE },
  'rolled back': { health: { cut: 1 }, always: 0.99, whenLost: NOTICES_AT_ONCE },
  'commits late': { health: { late: 1 }, always: 0, whenLost: [] },
  'rolls back late': { health: { cut: 1 }, always: 0.99, whenLost: NOTICES_LATER },
};

/** The simulation's database on virtual time, with the bridge's own code before it. */
class SimulatedRig implements Rig {
  readonly #time = new SimTime();
  readonly #random = new SteeredRandom();
  readonly #database = new SimDatabase(this.#time, this.#random, () => {});
  readonly #connections = new SimConnections(this.#database, new Life(this.#time, this.#random));
  #losesAnswer: LostAnswer | undefined;
  /** A write has moved the ledger, and its rows are the next call. */
  #isSent = false;
  #callsUnderWay = 0;
  #pump: Promise<void> | undefined;

  session(stream: string): LedgerSession {
    return this.#open(stream, 'LEDGER');
  }

  withoutLedger(): LedgerSession {
    return this.#open('none', '');
  }

  async numbers(): Promise<number[]> {
    return ascending(this.#database.rows.map((identity) => Number(identity.split('|')[1])));
  }

  refuse: Rig['refuse'] = (values, index) => void (values.texts[index] = REFUSED_TEXT);

  spoil: Rig['spoil'] = (values, index) => void (values.texts[index] = POISON_TEXT);

  loseAnswer(how: LostAnswer): void {
    this.#losesAnswer = how;
    if (this.#isSent) this.#steer();
  }

  async end(): Promise<void> {
    await this.#pump;
  }

  #open(stream: string, ledgerTable: string): LedgerSession {
    const onStep = (step: string): void => {
      if (step !== 'sent') return;
      this.#isSent = true;
      this.#steer();
    };
    const options = { ...SESSIONS_OPTIONS, bridgeId: 'contract', ledgerTable };
    const session = new Sessions(this.#connections.for('default'), options, onStep).live(stream);
    return {
      readPlace: () => this.#drive(session.readPlace()),
      write: (values, move, beforeCommit) =>
        this.#drive(session.write(values, move, beforeCommit).finally(() => (this.#isSent = false))),
      forget: () => this.#drive(session.forget()),
      probe: () => this.#drive(session.probe()),
      interrupt: () => session.interrupt(),
    };
  }

  /** Concerns the call that is sent next, before any timer fires. */
  #steer(): void {
    if (this.#losesAnswer === undefined) return;
    const { health, always, whenLost } = STEERING[this.#losesAnswer];
    this.#losesAnswer = undefined;
    this.#database.health = { ...WELL, ...health };
    this.#random.always = always;
    this.#time.setTimer(0, () => {
      this.#database.health = WELL;
      this.#random.always = 0;
      this.#random.upcoming = [...whenLost];
    });
  }

  /** Lets virtual time go on until the call is over. */
  #drive<T>(call: Promise<T>): Promise<T> {
    this.#callsUnderWay += 1;
    const over = (): void => void (this.#callsUnderWay -= 1);
    void call.then(over, over);
    this.#pump ??= this.#run();
    return Promise.race([call, this.#pump.then(() => call)]);
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#callsUnderWay > 0) if (!(await this.#time.step())) throw new Error('the call will never end');
    this.#pump = undefined;
  }
}

export async function simulatedRig(): Promise<Rig> {
  return new SimulatedRig();
}
