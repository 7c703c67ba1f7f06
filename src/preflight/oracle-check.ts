import type { Config } from '../config/config.ts';
import { destinationsOf } from '../config/destinations.ts';
import type { Clock } from '../core/clock.ts';
import { coerceError, DatabaseError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { CONNECT_RULES } from '../oracle/connect-remedies.ts';
import { Connections } from '../oracle/connections.ts';
import { Dictionary, type DatabaseClock, type ServerFacts } from '../oracle/dictionary.ts';
import { checkDeadSessions, checkLimits } from './account-check.ts';
import { checkDestination } from './destination-check.ts';
import { failed, ok, warning, type Finding } from './finding.ts';
import { checkLedger } from './ledger-check.ts';
import { described } from './rights-check.ts';
import type { TableContext } from './table-check.ts';

/** A clock that is further off than this confuses whoever compares times. */
const CLOCK_TOLERANCE_MS = 2000;
const ROUND_TRIPS = 9;
/** What is proposed where the line is long. */
const LARGE_BATCH = 5_000;
const LONG_TRIP_MS = 200;
/** From then on it is said what larger batches would give. */
const NOTEWORTHY_TRIP_MS = 2;
const SHORTEST_MS = 0.05;
/** The longest that a timer takes. */
const WHOLE_WALK_MS = 2 ** 31 - 1;
const PASSWORD_WARNING_MS = 14 * 86_400_000;

/**
 * Looks at the database as the bridge's own user, in one session. Statements of the bridge are only parsed: nothing is
 * written. Never throws.
 */
export async function checkOracle(config: Config, clock: Clock, log: Logger, signal: AbortSignal): Promise<Finding[]> {
  const pool = { ...config.oracle.pool, min: 0, max: 1 };
  const connections = new Connections({
    ...config.oracle,
    pool,
    logOnPatienceMs: WHOLE_WALK_MS,
    clientId: config.bridge.id,
    clock,
    log,
  });
  const dictionary = new Dictionary(connections, clock);
  try {
    const server = await dictionary.server();
    const context: TableContext = { dictionary, server };
    const seen = new Map<string, string>();
    const findings = [connection(server), ...account(server, clock), characterSet(server)];
    const sections: readonly (() => Promise<Finding[]>)[] = [
      async () => [
        clockDifference(await dictionary.clock()),
        roundTrip(await dictionary.roundTrips(ROUND_TRIPS), config),
      ],
      async () => [
        ...checkLimits(await dictionary.limits(), server.user, config.oracle),
        checkDeadSessions(config.oracle),
      ],
      ...destinationsOf(config.oracle).map((each) => () => checkDestination(each, config.tagName, context, seen)),
      () => checkLedger(config.oracle.ledgerTable, config.bridge.id, context),
    ];
    for (const section of sections) {
      if (signal.aborted) break;
      const { found, isLost } = await checked(section);
      findings.push(...found);
      if (isLost) break;
    }
    return findings;
  } catch (thrown) {
    return [noConnection(thrown)];
  } finally {
    await connections.stop();
  }
}

/** What goes wrong in one section is a finding, and the next one is tried unless the connection was lost. */
async function checked(
  section: () => Promise<Finding[]>,
): Promise<{ readonly found: readonly Finding[]; readonly isLost: boolean }> {
  try {
    return { found: await section(), isLost: false };
  } catch (thrown) {
    if (!(thrown instanceof DatabaseError)) throw thrown;
    const { kind, remedy } = thrown;
    return {
      found: [failed('dictionary', described(thrown), remedy === '' ? 'try again' : remedy)],
      isLost: kind === 'connection',
    };
  }
}

function noConnection(thrown: unknown): Finding {
  if (!(thrown instanceof DatabaseError))
    return failed('connection', coerceError(thrown).message, 'see the oracle section');
  const { remedy } = thrown;
  return failed('connection', described(thrown), remedy === '' ? 'see oracle.connectString' : asStep(remedy));
}

/** A sentence of the log as a step of a remedy: those begin in lower case, unless with a name of the configuration. */
function asStep(sentence: string): string {
  const isOfLogOn = CONNECT_RULES.some(({ remedy }) => remedy === sentence);
  return isOfLogOn ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}

function connection({ product, schema, user }: ServerFacts): Finding {
  return ok('connection', `${product}, as ${user}${schema === user ? '' : `, in schema ${schema}`}`);
}

function account({ accountStatus, passwordExpiresAtMs, user }: ServerFacts, clock: Clock): Finding[] {
  const leftMs = (passwordExpiresAtMs ?? Number.POSITIVE_INFINITY) - clock.now();
  if (leftMs > PASSWORD_WARNING_MS) return [];
  const when = new Date(passwordExpiresAtMs ?? 0).toISOString().slice(0, 10);
  const text = `the password of ${user} expires on ${when} (${accountStatus})`;
  return [
    warning(
      'account',
      text,
      `change it, and oracle.password; or give ${user} a profile with PASSWORD_LIFE_TIME UNLIMITED`,
    ),
  ];
}

function characterSet({ characterSet: name }: ServerFacts): Finding {
  if (name === 'AL32UTF8') return ok('character set', name);
  const remedy = 'use a database with AL32UTF8, or NVARCHAR2 columns for texts and tag names';
  if (name === 'UTF8') {
    const text = 'UTF8 (CESU-8): characters such as emoji take 6 bytes, so texts may be too long for their column';
    return warning('character set', text, remedy);
  }
  const text = `${name}: letters and signs that it does not have (µ, ° or Ω, say) are stored as ? or ¿, without an error`;
  return warning('character set', text, remedy);
}

function clockDifference({ aheadMs, offset, roundTripMs }: DatabaseClock): Finding {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1);
  const side = aheadMs < 0 ? 'behind' : 'ahead of';
  const text = `the database's is ${seconds} s ${side} this machine's (± ${Math.ceil(roundTripMs / 2)} ms); its time zone is ${offset}`;
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS + roundTripMs / 2) return ok('clock', text);
  return warning('clock', text, 'let both follow the same NTP servers: the times of receipt come from this machine');
}

/**
 * A batch takes two round trips: the ledger's move, and the rows with the commit. Batches grow only as long as one
 * takes less than `writer.intervalMs`.
 */
export function roundTrip(
  tookMs: readonly number[],
  { oracle, writer }: { readonly oracle: Pick<Config['oracle'], 'ledgerTable'>; readonly writer: Config['writer'] },
): Finding {
  const { batchSize, intervalMs, maxBatchSize } = writer;
  const ms = tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length / 2)] ?? 0;
  const trips = oracle.ledgerTable === '' ? 1 : 2;
  const tripsMs = trips * Math.max(ms, SHORTEST_MS);
  const rate = (rows: number): string => Math.round((rows * 1000) / tripsMs).toLocaleString('en-US');
  const most = Math.max(batchSize, maxBatchSize);
  const mayGrow = ms > NOTEWORTHY_TRIP_MS ? Math.max(most, LARGE_BATCH) : most;
  const isSet = most >= mayGrow;
  const grown = isSet ? `, of ${mayGrow} while more wait ${rate(mayGrow)}` : '';
  const beyond = tripsMs < intervalMs ? '' : `, with writer.intervalMs beyond ${Math.ceil(tripsMs)},`;
  const proposal = `"writer.maxBatchSize": ${mayGrow}${beyond} gives ${rate(mayGrow)} while more wait, after an outage or at a peak`;
  const text =
    `${ms.toFixed(1)} ms, the median of ${tookMs.length}; a batch takes ${trips === 1 ? 'one' : 'two'}, so that batches of ` +
    `${batchSize} carry ${rate(batchSize)} values/s at most${mayGrow > batchSize ? grown : ''}, less what the database takes`;
  if (maxBatchSize > batchSize && tripsMs >= intervalMs) {
    const remedy = `raise writer.intervalMs beyond ${Math.ceil(tripsMs)}: batches grow only as long as one takes less; then ${proposal}`;
    return warning('round trip', text, remedy);
  }
  if (isSet) return ok('round trip', text);
  return ms > LONG_TRIP_MS ? warning('round trip', text, proposal) : ok('round trip', `${text}; ${proposal}`);
}
