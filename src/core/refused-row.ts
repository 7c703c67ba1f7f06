import type { Reason } from './errors.ts';

/** A value of a list that was refused, before it was sent or by the database. */
export interface RefusedRow {
  /** Which value of the list, from 0. */
  readonly index: number;
  readonly reason: Reason;
  /** Good once a DBA has acted: to be tried again by itself. */
  readonly isHeld?: boolean;
}
