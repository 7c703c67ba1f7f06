/** The calls without a statement: commit, rollback, ping, logoff. Each is answered with a status message. */
import { CallStatus, writeStatus } from './answers.ts';
import type { FaultPoint } from './fault-point.ts';
import { CallFunction, type CallHeader, ProtocolError } from './request.ts';
import type { Answer, SqlSession } from './sql-session.ts';
import { Writer } from './wire.ts';

/** `sequence` is the session's count of calls. Throws OraError where a fault says so. */
export function plainCall(
  sqlSession: SqlSession,
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
    default:
      throw new ProtocolError(`call ${call.function}`);
  }
}

function then(result: void | Promise<void>, answer: () => Answer): Answer | Promise<Answer> {
  return result instanceof Promise ? result.then(answer) : answer();
}

function status(value: number, sequence: number): Answer {
  const payload = new Writer();
  writeStatus(payload, value, sequence);
  return { payload, failed: false };
}
