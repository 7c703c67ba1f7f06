/**
 * Faults on demand. A rule names the calls that it concerns and what befalls them:
 *
 *   connect   refuse with a code, silent                              (there is no session yet)
 *   before    delay, hang, black hole, error, row errors, reset before, late commit or rollback
 *   after     delay, hang, reset after: the call was carried out, its answer does not get through
 *
 * An execute with the commit option is a call of kind `execute` with one of kind `commit` inside it.
 */
import { OraError } from './engine/types.ts';

export type CallKind = 'connect' | 'logon' | 'execute' | 'commit' | 'rollback' | 'ping' | 'fetch' | 'logoff';

export interface FaultError {
  readonly code: number;
  /** Without the leading `ORA-nnnnn: `. */
  readonly message?: string;
}

export interface FaultRule {
  /** Default: every kind but `connect`. */
  readonly on?: CallKind | readonly CallKind[];
  /** Part of the SQL text in any case, or a pattern. */
  readonly sql?: string | RegExp;
  readonly user?: string;
  /** The first matching call that is hit, from 1. Default 1. */
  readonly nth?: number;
  /** How many matching calls are hit from there on; default 1, `Infinity` until cleared. */
  readonly times?: number;
  readonly error?: number | FaultError;
  /** The error ends the session too: what is open in it is committed or rolled back, and the connection closed. */
  readonly ends?: 'commit' | 'rollback';
  /** Errors of single rows of an array, by their offset. */
  readonly rowErrors?: Readonly<Record<number, number | FaultError>>;
  readonly delayMs?: number;
  /** Never answer, but for a break. */
  readonly hang?: boolean;
  /** Whether `delayMs`, `hang` and `error` come before the call is carried out (default) or after. */
  readonly when?: 'before' | 'after';
  /** Cut the connection before the call is carried out (a commit: rolled back), or after it, before the answer. */
  readonly reset?: 'before' | 'after';
  /** Commits only: cut the connection, and end the transaction that much later; its locks stay until then. */
  readonly late?: { readonly outcome: 'commit' | 'rollback'; readonly afterMs: number };
  /** From now on nothing is read from this connection and nothing answered, not even a break. */
  readonly blackHole?: boolean;
  /** Connects only: the listener refuses with this code. */
  readonly refuse?: number;
  /** Connects only: the listener says nothing. */
  readonly silent?: boolean;
}

export interface FaultHandle {
  /** Calls that the fault befell. */
  readonly hits: number;
  clear(): void;
}

/** What a call is, for the rules. */
export interface CallFacts {
  readonly kind: CallKind;
  readonly sql?: string | undefined;
  readonly user?: string | undefined;
}

class ActiveFault implements FaultHandle {
  readonly rule: FaultRule;
  hits = 0;
  #matches = 0;
  readonly #remove: (fault: ActiveFault) => void;

  constructor(rule: FaultRule, remove: (fault: ActiveFault) => void) {
    this.rule = rule;
    this.#remove = remove;
  }

  clear(): void {
    this.#remove(this);
  }

  take(call: CallFacts): boolean {
    if (!matches(this.rule, call)) return false;
    const nth = this.rule.nth ?? 1;
    this.#matches++;
    if (this.#matches < nth || this.#matches >= nth + (this.rule.times ?? 1)) return false;
    this.hits++;
    return true;
  }
}

function matches(rule: FaultRule, call: CallFacts): boolean {
  const kinds = rule.on === undefined ? undefined : [rule.on].flat();
  if (kinds === undefined ? call.kind === 'connect' : !kinds.includes(call.kind)) return false;
  if (rule.user !== undefined && rule.user.toUpperCase() !== call.user?.toUpperCase()) return false;
  if (rule.sql === undefined) return true;
  const sql = call.sql ?? '';
  return typeof rule.sql === 'string' ? sql.toUpperCase().includes(rule.sql.toUpperCase()) : sql.search(rule.sql) >= 0;
}

export class Faults {
  readonly #active = new Set<ActiveFault>();

  /** Without rules calls take a short way. */
  get idle(): boolean {
    return this.#active.size === 0;
  }

  add(rule: FaultRule): FaultHandle {
    const fault = new ActiveFault(rule, (removed) => this.#active.delete(removed));
    this.#active.add(fault);
    return fault;
  }

  clear(): void {
    this.#active.clear();
  }

  /** The rules that hit this call; counts it for each rule that names it. */
  take(call: CallFacts): readonly FaultRule[] {
    return [...this.#active].filter((fault) => fault.take(call)).map((fault) => fault.rule);
  }
}

/** Messages of the codes that tests use most; others get a general one. */
const messages: Readonly<Record<number, string>> = {
  1: 'unique constraint (STANDIN.FAULT) violated',
  28: 'your session has been killed',
  54: 'resource busy and acquire with NOWAIT specified or timeout expired',
  60: 'deadlock detected while waiting for resource',
  600: 'internal error code, arguments: [standin], [], [], [], [], [], [], [], [], [], [], []',
  942: 'table or view does not exist',
  1013: 'user requested cancel of current operation',
  1017: 'invalid username/password; logon denied',
  1033: 'ORACLE initialization or shutdown in progress',
  1034: 'ORACLE not available',
  1089: 'immediate shutdown or close in progress - no operations are permitted',
  1400: 'cannot insert NULL into ("STANDIN"."FAULT"."FAULT")',
  1438: 'value larger than specified precision allowed for this column',
  1536: "space quota exceeded for tablespace 'USERS'",
  1653: "unable to extend table STANDIN.FAULT by 128 in tablespace 'USERS'",
  2290: 'check constraint (STANDIN.FAULT) violated',
  2396: 'exceeded maximum idle time, please connect again',
  3113: 'end-of-file on communication channel',
  3114: 'not connected to ORACLE',
  12899: 'value too large for column "STANDIN"."FAULT"."FAULT" (actual: 5, maximum: 3)',
  28000: 'The account is locked.',
};

export function faultError(error: number | FaultError): OraError {
  const { code, message } = typeof error === 'number' ? { code: error, message: undefined } : error;
  return new OraError(code, message ?? messages[code] ?? 'fault on demand');
}
