import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { median } from '../../scripts/bench/median.ts';
import { parseCsv } from '../crash/verdict.ts';
import type { Session } from '../support/standin/engine/types.ts';
import type { Standin } from '../support/standin/standin.ts';
import { readRows } from '../support/tag-table.ts';
import type { SoakLedger } from './soak-ledger.ts';

const TAKE_EVERY_MS = 250;

/**
 * Takes the rows out of the table as they come, as they would fill the memory of the stand-in, and notes each in the
 * ledger.
 */
export class Arrivals {
  readonly #standin: Standin;
  readonly #ledger: SoakLedger;
  readonly #session: Session;
  #timer: NodeJS.Timeout | undefined;
  #taking: Promise<void> | undefined;
  #lagsMs: number[] = [];
  #failure: unknown;

  constructor(standin: Standin, ledger: SoakLedger) {
    this.#standin = standin;
    this.#ledger = ledger;
    this.#session = standin.engine.openSession('BRIDGE');
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#taking ??= this.#takeRows()
        .catch((error: unknown) => (this.#failure ??= error))
        .then(() => void (this.#taking = undefined));
    }, TAKE_EVERY_MS);
  }

  /** Takes what is still there. Throws what went wrong meanwhile. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#taking;
    if (this.#failure !== undefined) throw this.#failure as Error;
    await this.#takeRows();
    this.#session.close();
  }

  /** Of the rows since it was asked before: from the publisher into the table, to a quarter of a second. */
  takeLagMs(): number | undefined {
    const lagsMs = this.#lagsMs;
    this.#lagsMs = [];
    return lagsMs.length === 0 ? undefined : median(lagsMs);
  }

  /**
   * What the CSV files that wait for a person hold. A tail written twice by a crash is recognised by its place in the
   * stream.
   */
  async readFiles(directory: string): Promise<void> {
    const seen = new Set<string>();
    for (const name of await readdir(directory)) {
      const kind = /^(rejected|undecodable)_.*\.csv(?:\.open)?$/.exec(name)?.[1];
      if (kind === undefined) continue;
      const [header = [], ...records] = parseCsv(await readFile(join(directory, name), 'utf8'));
      for (const record of records) {
        const field = (column: string): string => record[header.indexOf(column)] ?? '';
        const place = [kind, ...['journal', 'message_no', 'value_no'].map(field)].join('/');
        if (seen.has(place)) continue;
        seen.add(place);
        if (kind === 'rejected') this.#ledger.foundRejected(Number(field('tag_value')));
        else this.#ledger.foundUndecodable(Buffer.from(field('payload_base64'), 'base64').toString());
      }
    }
  }

  async #takeRows(): Promise<void> {
    const rows = await readRows(this.#standin);
    if (rows.length === 0) return;
    // Nothing else runs between the two statements: neither waits for a lock, and no connection is heard in between.
    const { rowCount } = await this.#session.execute(this.#session.parse('DELETE FROM tag_data'), [[]]);
    if (rowCount !== rows.length) throw new Error(`read ${rows.length} rows and deleted ${rowCount}`);
    this.#session.commit();
    const nowMs = Date.now();
    for (const row of rows) {
      this.#ledger.foundRow(row);
      this.#lagsMs.push(nowMs - row.timeMs);
    }
  }
}
