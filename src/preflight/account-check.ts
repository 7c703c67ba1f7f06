import type { OracleConfig } from '../config/config.ts';
import { ok, warning, type Finding } from './finding.ts';

/** As many refused log-ons in a row as a person needs to notice a wrong password before the account is locked. */
const FEW_ATTEMPTS = 4;
/** Of these the bridge makes two at once. */
const FIRST_ATTEMPTS = 2;

/**
 * What the profile of the bridge's user means for the bridge, by the names of its parameters; nothing for what can't be
 * seen, or has no limit. [Oracle Database SQL Language Reference, CREATE PROFILE]
 */
export function checkLimits(limits: ReadonlyMap<string, string>, user: string, { pool }: OracleConfig): Finding[] {
  const attempts = numberOf(limits, 'FAILED_LOGIN_ATTEMPTS');
  const sessions = numberOf(limits, 'SESSIONS_PER_USER');
  const findings: Finding[] = [];
  if (attempts !== undefined) findings.push(failedLogins(attempts, limits, user));
  if (limits.get('FAILED_LOGIN_ATTEMPTS') === 'UNLIMITED')
    findings.push(ok('failed log-ons', 'FAILED_LOGIN_ATTEMPTS is UNLIMITED: a wrong password locks nothing'));
  if (sessions !== undefined) findings.push(sessionCount(sessions, user, pool.max));
  for (const [name, what] of [
    ['IDLE_TIME', 'without work'],
    ['CONNECT_TIME', 'after the log-on'],
  ] as const) {
    const minutes = numberOf(limits, name);
    if (minutes === undefined) continue;
    const text = `${name} ends a session ${minutes} min ${what}: what is open in it is rolled back, and the bridge logs on anew`;
    findings.push(ok(`profile ${name}`, text));
  }
  return findings;
}

function failedLogins(attempts: number, limits: ReadonlyMap<string, string>, user: string): Finding {
  const days = limits.get('PASSWORD_LOCK_TIME') ?? '';
  const until = /^[\d.]+$/.test(days) ? `, for ${days} days` : '';
  const hours = Math.max(0, attempts - FIRST_ATTEMPTS);
  const text =
    `FAILED_LOGIN_ATTEMPTS is ${attempts}: so many refused log-ons in a row, of all who use the account, lock it${until}; ` +
    `with a wrong password the bridge alone gets there in ${hours === 0 ? 'a minute' : `${hours} h`}`;
  if (attempts >= FEW_ATTEMPTS) return ok('failed log-ons', text);
  return warning('failed log-ons', text, `give ${user} a profile with FAILED_LOGIN_ATTEMPTS 10 or more`);
}

function sessionCount(sessions: number, user: string, max: number): Finding {
  const text = `SESSIONS_PER_USER is ${sessions}, and oracle.pool.max ${max}`;
  if (sessions > max) return ok('sessions', text);
  return warning(
    'sessions',
    `${text}: others of this account, and this check, have no room beside it (ORA-02391)`,
    `have the DBA raise SESSIONS_PER_USER in the profile of ${user} above ${max}, or lower oracle.pool.max`,
  );
}

/** Undefined for UNLIMITED, and for what can't be seen. */
function numberOf(limits: ReadonlyMap<string, string>, name: string): number | undefined {
  const limit = limits.get(name) ?? '';
  return /^\d+$/.test(limit) ? Number(limit) : undefined;
}

/**
 * Whether somebody will notice that the bridge is gone. What stands in the server's sqlnet.ora no session can see.
 * [Oracle Database Net Services Reference, SQLNET.EXPIRE_TIME]
 */
export function checkDeadSessions({ connectString }: Pick<OracleConfig, 'connectString'>): Finding {
  const own = /\(\s*EXPIRE_TIME\s*=\s*(\d+)\s*\)/i.exec(connectString)?.[1];
  const here = own === undefined ? '' : `; EXPIRE_TIME=${own} of oracle.connectString is for this side of the line`;
  const text =
    'a session whose line was cut keeps its locks until the server notices, by SQLNET.EXPIRE_TIME (in minutes) of its sqlnet.ora, ' +
    `which cannot be seen from here: the DBA should set it, to 10 say${here}`;
  return ok('dead sessions', text);
}
