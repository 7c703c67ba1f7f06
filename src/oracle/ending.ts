import type oracledb from 'oracledb';

import { withDeadline, type Clock } from '../core/clock.ts';
import { DatabaseError } from '../core/errors.ts';

/*
 * A session that ends in order, by a logoff, commits what is open in it; one whose connection breaks is rolled back
 * [Oracle Database Concepts, "Overview of Transactions"]. The driver sends a rollback before its logoff only when the
 * last answer said that a transaction is open, and nobody has recorded what a server says after an error. So work that
 * failed is rolled back by a call of its own, which is answered, or its connection is cut.
 *
 *     work failed ──the connection lives──► rollback ──answered──► nothing is open: used again, or logged off
 *          │                                   └─not answered──► cut
 *          └─the connection is lost──► cut
 */

const ROLLBACK_DEADLINE_MS = 2_000;

/**
 * Rolls back what failed work has left open. True when the server has answered that; false when nobody knows what is
 * open: then the connection must be cut, and never logged off. Never throws.
 */
export async function isClearedAfter(
  error: unknown,
  connection: Pick<oracledb.Connection, 'rollback'>,
  clock: Clock,
): Promise<boolean> {
  if (error instanceof DatabaseError && error.kind === 'connection') return false;
  try {
    await withDeadline(clock, ROLLBACK_DEADLINE_MS, 'roll back', connection.rollback());
    return true;
  } catch {
    return false;
  }
}

/**
 * `ended` rejects once `end` was called: whoever does the work is not waited for any more. `isSent`: it may have been
 * committed.
 */
export function interruption(
  what: string,
  isSent: boolean,
): { readonly ended: Promise<never>; readonly end: () => void } {
  let end = (): void => {};
  const ended = new Promise<never>((_resolve, reject) => {
    end = () => reject(interrupted(what, isSent));
  });
  // Mostly nobody interrupts, and the race is over.
  ended.catch(() => {});
  return { ended, end };
}

function interrupted(what: string, outcomeUnknown: boolean): DatabaseError {
  return new DatabaseError('connection', 'INTERRUPTED', `${what}: given up`, { outcomeUnknown });
}
