import { createRequire } from 'node:module';

import oracledb from 'oracledb';

import { DatabaseError } from '../core/errors.ts';

/*
 * The one thing of the driver that is not in its public interface: cutting the socket of a connection. Everything
 * public ends a session in order, which commits what is open (ending.ts), or waits for a server that is gone. So the
 * version is pinned exactly in package.json, and a start with another one that lacks it fails.
 */

const SESSION_MODULE = 'oracledb/lib/thin/sqlnet/networkSession.js';

interface Inside {
  readonly _impl?: { readonly nscon?: { readonly forceDisconnect?: () => void } };
}

/** Throws a DatabaseError DRIVER_UNFIT when the installed driver has no way to cut a connection. Needs no database. */
export function assertDriverFits(load: (path: string) => unknown = createRequire(import.meta.url)): void {
  if (!hasForceDisconnect(load)) throw unfit();
}

/** The same for one connection, as the driver may make them otherwise. */
export function assertCanBeCut(connection: oracledb.Connection): void {
  if (typeof (connection as unknown as Inside)._impl?.nscon?.forceDisconnect !== 'function') throw unfit();
}

/**
 * Cuts the socket of a connection that no longer answers, or in which something may be open: `close()` would commit.
 */
export function cut(connection: oracledb.Connection): void {
  try {
    (connection as unknown as Inside)._impl?.nscon?.forceDisconnect?.();
  } catch {
    // It was closed already.
  }
}

function hasForceDisconnect(load: (path: string) => unknown): boolean {
  try {
    const module = load(SESSION_MODULE) as { readonly NetworkSession?: { readonly prototype?: object } };
    return typeof (module.NetworkSession?.prototype as { forceDisconnect?: unknown })?.forceDisconnect === 'function';
  } catch {
    return false;
  }
}

function unfit(): DatabaseError {
  return new DatabaseError(
    'configuration',
    'DRIVER_UNFIT',
    `node-oracledb ${oracledb.versionString} has no way to cut a connection: what is open in it would be committed`,
    { remedy: 'Install the version of oracledb that package-lock.json names.' },
  );
}
