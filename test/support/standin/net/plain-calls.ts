/**
 * The calls without a statement: commit, rollback, ping, logoff, version. Each is answered with a status message; calls
 * that this server does not have with an ORA error, whatever else they bring along is dropped at the client's reset.
 */
import { OraError } from '../engine/types.ts';
import { CallStatus, writeStatus } from './answers.ts';
import type { FaultPoint } from './fault-point.ts';
import type { Dialect, Profile } from './negotiation.ts';
import { CallFunction, type CallHeader } from './request.ts';
import type { Answer, SqlSession } from './sql-session.ts';
import { Writer } from './wire.ts';

/** `sequence` is the session's count of calls. Throws OraError where a fault says so. */
export function plainCall(
  sqlSession: SqlSession,
  profile: Profile,
  faults: FaultPoint,
  call: CallHeader,
  sequence: number,
  signal: AbortSignal,
): Answer | Promise<Answer> {
  const { session } = sqlSession;
  const { user } = session;
  const rollback = (): void => session.rollback();
  switch (call.function) {
    case CallFunction.commit:
      return then(sqlSession.commit(undefined, signal), () => status(CallStatus.committed, sequence));
    case CallFunction.rollback:
      return then(faults.around({ kind: 'rollback', user }, signal, rollback), () =>
        status(CallStatus.committed, sequence),
      );
    case CallFunction.ping:
      return then(
        faults.around({ kind: 'ping', user }, signal, () => undefined),
        () => status(sqlSession.status(CallStatus.idle), sequence),
      );
    case CallFunction.logoff:
      // A session that ends in order commits [Oracle Database Concepts, "Overview of Transactions"].
      return then(
        faults.around({ kind: 'logoff', user }, signal, () => session.commit()),
        () => status(CallStatus.idle, 0),
      );
    case CallFunction.version:
      return versionAnswer(profile, sqlSession.dialect, sequence);
    default:
      throw new OraError(3001, `unimplemented feature: the stand-in has no call ${call.function}`);
  }
}

function then(result: void | Promise<void>, answer: () => Answer): Answer | Promise<Answer> {
  return result instanceof Promise ? result.then(answer) : answer();
}

/** 08, ub2 length, text (CLR, or bare), ub4 version, and a status: go_ora.pcapng [14] in fclairamb/dbbat (19.22). */
function versionAnswer(profile: Profile, dialect: Dialect, sequence: number): Answer {
  const payload = new Writer();
  const banner = Buffer.from(profile.banner);
  payload.ub1(8).ub(banner.length);
  if (dialect.bareTexts) payload.raw(banner);
  else payload.bytes(banner);
  payload.ub(profile.serverVersionNo);
  writeStatus(payload, CallStatus.idle, sequence);
  return { payload, failed: false };
}

function status(value: number, sequence: number): Answer {
  const payload = new Writer();
  writeStatus(payload, value, sequence);
  return { payload, failed: false };
}
