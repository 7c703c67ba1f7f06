import { systemClock } from '../../src/core/clock.ts';
import { DatabaseError } from '../../src/core/errors.ts';
import { Connections, type ConnectionsOptions } from '../../src/oracle/connections.ts';
import { RecordingLogger } from './recording-logger.ts';

/** The bridge's connections to a stand-in, as BRIDGE; none is kept open. The caller stops them. */
export function connectionsTo(
  { connectString }: { readonly connectString: string },
  more: Partial<ConnectionsOptions> = {},
): Connections {
  return new Connections({
    connectString,
    user: 'bridge',
    password: 'secret',
    walletDir: '',
    walletPassword: '',
    tnsAdmin: '',
    pool: { min: 0, max: 2, increment: 1, queueTimeoutMs: 10_000 },
    connectTimeoutMs: 10_000,
    callTimeoutMs: 10_000,
    clock: systemClock,
    log: new RecordingLogger(),
    ...more,
  });
}

/** The DatabaseError that the work ends with. Throws when it ends well or otherwise. */
export async function databaseErrorOf(work: Promise<unknown>): Promise<DatabaseError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DatabaseError)) throw new Error('expected a DatabaseError', { cause: error });
  return error;
}
