/** Anonymous blocks. A block that fails undoes its own work, back to its start or its last COMMIT. */
import { renderFault, SqlFault } from '../faults.ts';
import type { BlockStatement, BlockTree } from '../sql/ast.ts';
import type { Steps } from '../storage/waiting.ts';
import { OraError } from '../types.ts';
import { toNumber, toText } from '../values/convert.ts';
import { toDouble } from '../values/decimal.ts';
import { compileDml } from './compile-dml.ts';
import { compileCondition } from './conditions.ts';
import type { Evaluation, SessionContext } from './context.ts';
import { newEvaluation } from './context.ts';
import { compileExpression } from './expressions.ts';
import type { RowStatement } from './plan.ts';
import { Scope } from './scope.ts';

/** One running block. */
interface Run {
  readonly evaluation: Evaluation;
  /** Where the transaction stood at its start or after its last COMMIT or ROLLBACK. */
  mark: number;
}

type Step = (run: Run) => Steps<void>;

const NO_NAMES = new Scope([]);

/** Counts 1 for each run of the block, as a server does. Throws ORA-06550 for what does not compile. */
export function compileBlock(tree: BlockTree, context: SessionContext): RowStatement {
  const body = compileBody(tree.body, context);
  return function* block(binds) {
    const run: Run = { evaluation: newEvaluation(binds), mark: context.transaction.mark };
    try {
      yield* body(run);
    } catch (error) {
      context.transaction.rollbackTo(run.mark);
      throw error;
    }
    return 1;
  };
}

function compileBody(statements: readonly BlockStatement[], context: SessionContext): Step {
  const steps = statements.map((statement) => located(statement, compileOrExplain(statement, context), context));
  return function* runBody(run) {
    for (const step of steps) yield* step(run);
  };
}

/** Names the line of the innermost statement that failed. */
function located({ form, line }: BlockStatement, step: Step, context: SessionContext): Step {
  if (form === 'if') return step;
  return function* runLocated(run) {
    try {
      yield* step(run);
    } catch (thrown) {
      const { code, message, position } = renderFault(thrown, context.profile);
      throw new OraError(code, `${message}\nORA-06512: at line ${line}`, position);
    }
  };
}

function compileOrExplain(statement: BlockStatement, context: SessionContext): Step {
  try {
    return compileStatement(statement, context);
  } catch (thrown) {
    const error = renderFault(thrown, context.profile);
    if (error.code === 6550) throw error;
    const place = `line ${statement.line}, column 1`;
    const message = `${place}:\nPL/SQL: ${error.text}\nORA-06550: ${place}:\nPL/SQL: SQL Statement ignored`;
    throw new OraError(6550, message, error.position);
  }
}

function compileStatement(statement: BlockStatement, context: SessionContext): Step {
  switch (statement.form) {
    case 'sql': {
      const execute = compileDml(statement.tree, context);
      return function* runSql({ evaluation }) {
        evaluation.rowCount = yield* execute(evaluation.binds);
      };
    }
    case 'commit':
    case 'rollback':
      return immediate((run) => {
        context[statement.form === 'commit' ? 'commit' : 'rollback']();
        run.mark = 0;
      });
    case 'raise':
      return immediate(compileRaise(statement, context));
    case 'if':
      return compileIf(statement, context);
    case 'null':
      break;
  }
  return immediate(() => {});
}

function immediate(action: (run: Run) => void): Step {
  // oxlint-disable-next-line require-yield -- one of the steps of a block, which may wait
  return function* runImmediate(run) {
    action(run);
  };
}

function compileRaise(
  statement: Extract<BlockStatement, { form: 'raise' }>,
  context: SessionContext,
): (run: Run) => never {
  const number = compileExpression(statement.number, NO_NAMES, context);
  const text = compileExpression(statement.text, NO_NAMES, context);
  return ({ evaluation }) => {
    const code = toDouble(toNumber(number.evaluate(evaluation) ?? 0));
    if (code < -20999 || code > -20000) throw new SqlFault(21000, { number: code });
    throw new OraError(-code, toText(text.evaluate(evaluation) ?? '', context));
  };
}

function compileIf(statement: Extract<BlockStatement, { form: 'if' }>, context: SessionContext): Step {
  const branches = statement.branches.map(({ condition, body }) => ({
    test: compileCondition(condition, NO_NAMES, context),
    body: compileBody(body, context),
  }));
  const otherwise = compileBody(statement.otherwise, context);
  return function* runIf(run) {
    const branch = branches.find(({ test }) => test(run.evaluation) === true);
    yield* (branch?.body ?? otherwise)(run);
  };
}
