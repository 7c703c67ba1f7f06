import type { Config } from '../../config/config.ts';
import { DatabaseError, systemErrorCode } from '../../core/errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/** Why the bridge could not start, for a person, and what the process exits with. */
export interface StartFailure {
  readonly exitCode: ExitCode;
  readonly problem: string;
}

interface Rule {
  readonly exitCode: ExitCode;
  applies(code: string, syscall: string): boolean;
  problem(config: Config, error: NodeJS.ErrnoException): string;
}

/** The first rule that applies decides. */
const RULES: readonly Rule[] = [
  {
    // As with a wrong configuration, only a person can mend it: nobody is to try it again and again.
    exitCode: EXIT.config,
    applies: (code) => code === 'LATER_FORMAT',
    problem: (_config, error) => error.message,
  },
  {
    exitCode: EXIT.unavailable,
    applies: (code) => code === 'EADDRINUSE',
    problem: ({ http }) =>
      `http.port: ${http.port} on ${http.host} is taken: another program, perhaps another bridge, listens there`,
  },
  {
    exitCode: EXIT.unavailable,
    applies: (code, syscall) => syscall === 'listen' && code === 'EACCES',
    problem: ({ http }) => `http.port: ${http.port} may only be listened on by root: choose one above 1023`,
  },
  {
    exitCode: EXIT.unavailable,
    applies: (_code, syscall) => syscall === 'listen' || syscall === 'getaddrinfo',
    problem: ({ http }, error) => `http.host: can't listen on ${http.host}: ${error.message}`,
  },
  {
    exitCode: EXIT.unavailable,
    applies: (code, syscall) => code === 'EBUSY' && syscall === '',
    problem: (_config, error) => `journal.dir: ${error.message}`,
  },
  {
    exitCode: EXIT.cannotCreate,
    applies: (_code, syscall) => syscall === 'mkdir',
    problem: (_config, error) => `can't create the directory ${error.path ?? ''}: ${error.message}`,
  },
  {
    exitCode: EXIT.inputOutput,
    applies: (_code, syscall) => syscall !== '',
    problem: (_config, error) => error.message,
  },
];

/** Finds the rule for the error or, where no rule knows the error itself, for its causes. */
export function describeStartFailure(thrown: unknown, config: Config): StartFailure {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const system: NodeJS.ErrnoException = error;
    const code = systemErrorCode(error);
    const rule = code === undefined ? undefined : RULES.find((row) => row.applies(code, system.syscall ?? ''));
    if (rule !== undefined) return { exitCode: rule.exitCode, problem: rule.problem(config, system) };
  }
  const remedy = thrown instanceof DatabaseError && thrown.remedy !== '' ? `: ${thrown.remedy}` : '';
  return { exitCode: EXIT.internal, problem: thrown instanceof Error ? thrown.message + remedy : String(thrown) };
}
