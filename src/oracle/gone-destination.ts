import { DatabaseError } from '../core/errors.ts';
import type { LedgerSession } from '../core/ledger-session.ts';
import type { Place } from '../core/place.ts';

/**
 * The session of a destination that the configuration does not name any more. What an earlier run wrote there stands in
 * the ledger and is believed; nothing more is written, so values that are still on their way go to the backup.
 */
export class GoneDestination implements LedgerSession {
  readonly #destination: string;
  readonly #session: LedgerSession;

  /** `session`: of the destination's stream, whatever its table. */
  constructor(destination: string, session: LedgerSession) {
    this.#destination = destination;
    this.#session = session;
  }

  readPlace(): Promise<Place | undefined> {
    return this.#session.readPlace();
  }

  write(): Promise<never> {
    const text = `the destination ${this.#destination} is not in oracle.destinations`;
    const remedy = `Put it back, or give its files to another one: backups replay FILE --to NAME.`;
    return Promise.reject(new DatabaseError('configuration', 'DESTINATION_GONE', text, { remedy }));
  }

  forget(): Promise<void> {
    return this.#session.forget();
  }

  /** The ledger answers, and that is all there is to ask. */
  async probe(): Promise<void> {
    await this.#session.readPlace();
  }

  interrupt(): void {
    this.#session.interrupt();
  }
}
