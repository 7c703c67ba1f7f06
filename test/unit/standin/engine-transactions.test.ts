import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../support/standin/engine/engine.ts';
import type { Engine, Session } from '../../support/standin/engine/types.ts';
import { OraError } from '../../support/standin/engine/types.ts';
import { failure, rejection, run, runWaiting, select, value } from './engine-harness.ts';

const TABLE = 'CREATE TABLE t (id NUMBER PRIMARY KEY, n NUMBER)';

function twoSessions(): { engine: Engine; one: Session; two: Session } {
  const engine = createEngine({ profile: '19c' });
  const one = engine.openSession('PLANT');
  const two = engine.openSession('PLANT');
  run(one, TABLE);
  run(one, 'INSERT INTO t VALUES (:1, :2)', [
    [1, 10],
    [2, 20],
  ]);
  one.commit();
  return { engine, one, two };
}

const rowsOf = (session: Session) => select(session, 'SELECT id, n FROM t ORDER BY id');

describe('transactions', () => {
  it('hide their changes from others until commit', () => {
    const { one, two } = twoSessions();
    run(one, 'UPDATE t SET n = 11 WHERE id = 1');
    run(one, 'DELETE FROM t WHERE id = 2');
    run(one, 'INSERT INTO t VALUES (3, 30)');
    expect(rowsOf(one)).toEqual([
      [1, 11],
      [3, 30],
    ]);
    expect(rowsOf(two)).toEqual([
      [1, 10],
      [2, 20],
    ]);
    one.commit();
    expect(rowsOf(two)).toEqual(rowsOf(one));
  });

  it.each(['rollback', 'close'] as const)('leave nothing behind on %s', (end) => {
    const { one, two } = twoSessions();
    run(one, 'UPDATE t SET id = id + 5');
    run(one, 'DELETE FROM t WHERE id = 6');
    run(one, 'INSERT INTO t VALUES (3, 30)');
    expect(one.inTransaction).toBe(true);
    one[end]();
    expect(one.inTransaction).toBe(false);
    expect(rowsOf(two)).toEqual([
      [1, 10],
      [2, 20],
    ]);
    for (const id of [1, 2]) expect(failure(two, 'INSERT INTO t VALUES (:1, 0)', id)).toContain('ORA-00001');
    for (const id of [3, 6, 7]) expect(failure(two, 'INSERT INTO t VALUES (:1, 0)', id)).toBe('no error');
  });

  it('are committed by DDL', () => {
    const { one, two } = twoSessions();
    run(one, 'INSERT INTO t VALUES (3, 30)');
    run(one, 'CREATE TABLE other (id NUMBER)');
    expect(one.inTransaction).toBe(false);
    expect(rowsOf(two)).toHaveLength(3);
  });
});

describe('a key that another session has inserted', () => {
  it('is a duplicate once that session commits', async () => {
    const { one, two } = twoSessions();
    run(one, 'INSERT INTO t VALUES (3, 30)');
    const waiting = runWaiting(two, 'INSERT INTO t VALUES (3, 31)');
    one.commit();
    expect(await rejection(waiting)).toBe(`ORA-00001: unique constraint (PLANT.SYS_C008301) violated`);
    expect(two.inTransaction).toBe(false);
  });

  it('is free once that session rolls back', async () => {
    const { one, two } = twoSessions();
    run(one, 'INSERT INTO t VALUES (3, 30)');
    const waiting = runWaiting(two, 'INSERT INTO t VALUES (:1, :2)', [
      [4, 40],
      [3, 31],
      [5, 50],
    ]);
    one.rollback();
    expect(await waiting).toMatchObject({ rowCounts: [1, 1, 1] });
    two.commit();
    expect(rowsOf(one)).toEqual([
      [1, 10],
      [2, 20],
      [3, 31],
      [4, 40],
      [5, 50],
    ]);
  });

  it('is free once a deletion of it is committed', async () => {
    const { one, two } = twoSessions();
    run(one, 'DELETE FROM t WHERE id = 1');
    const waiting = runWaiting(two, 'INSERT INTO t VALUES (1, 11)');
    one.commit();
    await waiting;
    expect(value(two, 'SELECT n FROM t WHERE id = 1')).toBe(11);
  });
});

describe('a row that another session has changed', () => {
  it('is read again after its commit', async () => {
    const { one, two } = twoSessions();
    run(one, 'UPDATE t SET n = n + 1 WHERE id = 1');
    const waiting = runWaiting(two, 'UPDATE t SET n = n + 100 WHERE id = 1');
    one.commit();
    expect((await waiting).rowCount).toBe(1);
    expect(value(two, 'SELECT n FROM t WHERE id = 1')).toBe(111);
  });

  it('is not changed when it no longer matches, as compare and set needs', async () => {
    const { one, two } = twoSessions();
    run(one, 'UPDATE t SET n = 11 WHERE id = 1 AND n = 10');
    const waiting = runWaiting(two, 'UPDATE t SET n = 12 WHERE id = 1 AND n = 10');
    one.commit();
    expect((await waiting).rowCount).toBe(0);
    expect(two.inTransaction).toBe(false);
  });

  it('can be deleted after its rollback, and is skipped after its deletion', async () => {
    const { one, two } = twoSessions();
    run(one, 'DELETE FROM t WHERE id = 1');
    const first = runWaiting(two, 'DELETE FROM t WHERE id = 1');
    one.rollback();
    expect((await first).rowCount).toBe(1);
    const second = runWaiting(one, 'DELETE FROM t WHERE id = 1');
    two.commit();
    expect((await second).rowCount).toBe(0);
  });

  it('is merged after the wait', async () => {
    const { one, two } = twoSessions();
    const merge =
      'MERGE INTO t USING (SELECT :1 id, :2 n FROM dual) s ON (t.id = s.id) WHEN MATCHED THEN UPDATE SET n = t.n + s.n ' +
      'WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n)';
    run(one, merge, [[1, 1]]);
    const waiting = runWaiting(two, merge, [[1, 100]]);
    one.commit();
    expect((await waiting).rowCount).toBe(1);
    expect(value(two, 'SELECT n FROM t WHERE id = 1')).toBe(111);
  });
});

describe('row locks', () => {
  it('of SELECT FOR UPDATE hold others off until the end of the transaction', async () => {
    const { one, two } = twoSessions();
    expect(select(one, 'SELECT n FROM t WHERE id = 1 FOR UPDATE')).toEqual([[10]]);
    expect(one.inTransaction).toBe(true);
    expect(failure(two, 'SELECT n FROM t WHERE id = 1 FOR UPDATE NOWAIT')).toBe(
      'ORA-00054: resource busy and acquire with NOWAIT specified or timeout expired',
    );
    expect(select(two, 'SELECT id FROM t FOR UPDATE SKIP LOCKED')).toEqual([[2]]);
    expect(failure(two, 'INSERT INTO t VALUES (1, 0)')).toContain('ORA-00001');
    expect(failure(two, 'SELECT COUNT(*) FROM t FOR UPDATE')).toContain('ORA-01786');
    const waiting = runWaiting(two, 'SELECT n FROM t WHERE id = 1 FOR UPDATE');
    run(one, 'UPDATE t SET n = 99 WHERE id = 1');
    one.commit();
    expect((await waiting).rows).toEqual([[99]]);
  });

  it('are waited for no longer than WAIT says', async () => {
    const { one, two } = twoSessions();
    run(one, 'UPDATE t SET n = 0');
    const text = await rejection(runWaiting(two, 'SELECT n FROM t FOR UPDATE WAIT 1'));
    expect(text).toBe('ORA-30006: resource busy; acquire with WAIT timeout expired');
    expect(two.inTransaction).toBe(false);
  });

  it('are no longer waited for when the call is cancelled or the session closed', async () => {
    const { one, two } = twoSessions();
    run(one, 'UPDATE t SET n = 0 WHERE id = 2');
    const controller = new AbortController();
    const waiting = runWaiting(two, 'UPDATE t SET n = 1', [], { signal: controller.signal });
    controller.abort();
    expect(await rejection(waiting)).toBe('ORA-01013: user requested cancel of current operation');
    expect(two.inTransaction).toBe(false);
    const closing = runWaiting(two, 'DELETE FROM t');
    two.close();
    expect(await rejection(closing)).toContain('ORA-01013');
    expect(failure(one, 'UPDATE t SET n = 5')).toBe('no error');
  });

  it('that wait for each other fail the statement that closes the circle', async () => {
    const { one, two } = twoSessions();
    run(one, 'UPDATE t SET n = 1 WHERE id = 1');
    run(two, 'UPDATE t SET n = 2 WHERE id = 2');
    const waiting = runWaiting(one, 'UPDATE t SET n = 1 WHERE id = 2');
    const text = await rejection(runWaiting(two, 'UPDATE t SET n = 2 WHERE id = 1'));
    expect(text).toBe('ORA-00060: deadlock detected while waiting for resource');
    expect(value(two, 'SELECT n FROM t WHERE id = 2')).toBe(2);
    two.rollback();
    expect((await waiting).rowCount).toBe(1);
  });

  it('keep DDL off', () => {
    const { one, two } = twoSessions();
    run(one, 'DELETE FROM t WHERE id = 1');
    expect(failure(two, 'DROP TABLE t PURGE')).toContain('ORA-00054');
    expect(failure(two, 'TRUNCATE TABLE t')).toContain('ORA-00054');
    one.rollback();
    run(two, 'TRUNCATE TABLE t');
    expect(rowsOf(one)).toEqual([]);
  });
});

/** What one of three sessions does next. */
interface Action {
  readonly session: number;
  readonly kind: 'insert' | 'update' | 'move' | 'delete' | 'commit' | 'rollback';
  readonly id: number;
  readonly n: number;
}

type Rows = ReadonlyMap<number, number>;

/** The outcome of a single statement on the rows that its session sees; undefined is ORA-00001. */
function applied(rows: Rows, { kind, id, n }: Action): Rows | undefined {
  const result = new Map(rows);
  if (kind === 'insert') return rows.has(id) ? undefined : result.set(id, n);
  if (!rows.has(id)) return result;
  if (kind === 'update') return result.set(id, n);
  result.delete(id);
  if (kind === 'delete') return result;
  return result.has(n) ? undefined : result.set(n, rows.get(id)!);
}

const SQL = {
  insert: 'INSERT INTO t VALUES (:1, :2)',
  update: 'UPDATE t SET n = :2 WHERE id = :1',
  move: 'UPDATE t SET id = :2 WHERE id = :1',
  delete: 'DELETE FROM t WHERE id = :1 AND :2 IS NOT NULL',
} as const;

const BINDS_SWAPPED = new Set(['update', 'move']);

/** Ids that a statement of `action` reads or writes. */
const touched = ({ kind, id, n }: Action): number[] => (kind === 'move' ? [id, n] : [id]);

const actions = fc.array(
  fc.record<Action>({
    session: fc.nat(2),
    kind: fc.constantFrom('insert', 'update', 'move', 'delete', 'commit', 'rollback'),
    id: fc.nat(4),
    n: fc.nat(4),
  }),
  { maxLength: 40 },
);

describe('interleaved sessions', () => {
  it('leave what their committed statements say, whatever the order', () => {
    fc.assert(
      fc.property(actions, (sequence) => {
        const engine = createEngine();
        const sessions = [0, 1, 2].map(() => engine.openSession('PLANT'));
        run(sessions[0]!, TABLE);
        let committed: Rows = new Map();
        // Each session's own statements since its last commit; a statement that would meet another's rows is left out.
        const pending: Action[][] = [[], [], []];
        const view = (session: number): Rows =>
          pending[session]!.reduce<Rows>((rows, action) => applied(rows, action) ?? rows, committed);

        /** Answers false when the engine and the model disagree on the statement. */
        const perform = (action: Action): boolean => {
          const { session: index, kind, id, n } = action;
          const session = sessions[index]!;
          if (kind === 'commit' || kind === 'rollback') {
            if (kind === 'commit') committed = view(index);
            pending[index] = [];
            session[kind]();
            return true;
          }
          const others = new Set(pending.flatMap((list, other) => (other === index ? [] : list.flatMap(touched))));
          if (touched(action).some((touch) => others.has(touch))) return true;
          const expected = applied(view(index), action);
          const error = failure(session, SQL[kind], ...(BINDS_SWAPPED.has(kind) ? [n, id] : [id, n]));
          if (expected !== undefined) pending[index]!.push(action);
          return error.startsWith(expected === undefined ? 'ORA-00001' : 'no error');
        };

        for (const action of sequence) {
          expect(perform(action)).toBe(true);
          for (const [i, other] of sessions.entries()) {
            const rows = [...view(i)].toSorted(([a], [b]) => a - b);
            expect(rowsOf(other)).toEqual(rows);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never lose an increment and never hang, waiting and deadlocking as they may', async () => {
    const steps = fc.array(fc.tuple(fc.nat(1), fc.nat(2), fc.boolean()), { minLength: 1, maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(steps, steps, steps, async (...plans) => {
        const engine = createEngine();
        const setup = engine.openSession('PLANT');
        run(setup, TABLE);
        run(setup, 'INSERT INTO t VALUES (:1, 0)', [[0], [1]]);
        setup.commit();
        let total = 0;
        const work = async (plan: readonly (readonly [number, number, boolean])[]): Promise<void> => {
          const session = engine.openSession('PLANT');
          const statement = session.parse('UPDATE t SET n = n + :1 WHERE id = :2');
          let mine = 0;
          for (const [id, amount, isCommitted] of plan) {
            try {
              await session.execute(statement, [[amount, id]]);
              mine += amount;
            } catch (error) {
              if (!(error instanceof OraError) || error.code !== 60) throw error;
              session.rollback();
              mine = 0;
            }
            if (!isCommitted) continue;
            session.commit();
            total += mine;
            mine = 0;
          }
          session.close();
        };
        await Promise.all(plans.map(work));
        expect(value(setup, 'SELECT SUM(n) FROM t')).toBe(total);
      }),
      { numRuns: 100 },
    );
  });
});
