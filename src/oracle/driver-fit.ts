import { createRequire } from 'node:module';

import oracledb from 'oracledb';

import { DatabaseError } from '../core/errors.ts';
import { withMicroseconds } from '../core/microseconds.ts';
import { boundTime } from './bound-time.ts';

/*
 * What the bridge needs of the driver that is not in its public interface. So the version is pinned exactly in
 * package.json, and a start with another one that lacks it fails.
 *
 * - Cutting the socket of a connection. Everything public ends a session in order, which commits what is open
 *   (ending.ts), or waits for a server that is gone.
 * - Microseconds: a Date has none, and the driver takes no other kind of time (bound-time.ts).
 */

const SESSION_MODULE = 'oracledb/lib/thin/sqlnet/networkSession.js';
const BUFFER_MODULE = 'oracledb/lib/impl/datahandlers/buffer.js';

interface DriverBuffer {
  readonly buf: Buffer;
  writeOracleDate(date: Date, type: unknown, writeLength: boolean): void;
}

/** Length and layout of a TIMESTAMP WITH TIME ZONE: seven bytes to the second, four of nanoseconds, two of the zone. */
const TIMESTAMP_TZ_BYTES = 13;
const NANOSECONDS_AT = 7;
/** The first of them is one that as a double of milliseconds is too small. */
const SAMPLE_MICROSECONDS = [1_001, 123_456, 999_999];

interface Inside {
  readonly _impl?: { readonly nscon?: { readonly forceDisconnect?: () => void } };
}

/**
 * Throws a DatabaseError DRIVER_UNFIT when the installed driver has no way to cut a connection, or loses microseconds.
 * Needs no database.
 */
export function assertDriverFits(load: (path: string) => unknown = createRequire(import.meta.url)): void {
  if (!hasForceDisconnect(load)) throw unfit(CANNOT_CUT);
  if (!keepsMicroseconds(load)) throw unfit('writes times without their microseconds');
}

/** The same for one connection, as the driver may make them otherwise. */
export function assertCanBeCut(connection: oracledb.Connection): void {
  if (typeof (connection as unknown as Inside)._impl?.nscon?.forceDisconnect !== 'function') throw unfit(CANNOT_CUT);
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

function keepsMicroseconds(load: (path: string) => unknown): boolean {
  try {
    const { BaseBuffer } = load(BUFFER_MODULE) as { readonly BaseBuffer: new (bytes: Buffer) => DriverBuffer };
    return SAMPLE_MICROSECONDS.every((microseconds) => {
      const buffer = new BaseBuffer(Buffer.alloc(TIMESTAMP_TZ_BYTES));
      const date = boundTime(withMicroseconds(Math.floor(microseconds / 1000), microseconds % 1000));
      buffer.writeOracleDate(date, oracledb.DB_TYPE_TIMESTAMP_TZ, false);
      return buffer.buf.readUInt32BE(NANOSECONDS_AT) === microseconds * 1000;
    });
  } catch {
    return false;
  }
}

const CANNOT_CUT = 'has no way to cut a connection: what is open in it would be committed';

function unfit(why: string): DatabaseError {
  const message = `node-oracledb ${oracledb.versionString} ${why}`;
  const remedy = 'Install the version of oracledb that package-lock.json names.';
  return new DatabaseError('configuration', 'DRIVER_UNFIT', message, { remedy });
}
