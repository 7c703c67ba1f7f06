import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

import { withDeadline, type Clock } from '../core/clock.ts';
import { childOf, isDescriptor, parseDescriptor, type DescriptorNode } from '../core/connect-descriptor.ts';
import { DatabaseError } from '../core/errors.ts';
import { readEasyConnect } from './easy-connect.ts';
import { readNames } from './names-file.ts';

/*
 * The driver walks the addresses of a connect string by itself, and the records of each name, one after the other,
 * with its time-out for each [node-oracledb `lib/thin/sqlnet/connStrategy.js`, navNodes and networkSession beside it].
 * What it has not is an end for the whole, and the log-on behind the last address has none either. So the longest that
 * the walk may take is worked out here:
 *
 *     each DESCRIPTION: (1 + RETRY_COUNT) × its addresses × their records × the time-out of one, + the RETRY_DELAYs
 *
 * RETRY_COUNT of one description holds for those behind it too, so the largest is taken for all. The order is that of
 * the text: LOAD_BALANCE is off in a DESCRIPTION and an ADDRESS_LIST, but the driver has it on for a DESCRIPTION_LIST
 * and for several hosts of Easy Connect unless the text says otherwise.
 */
export interface Walk {
  /** What the driver is given. */
  readonly connectString: string;
  /** How many attempts there are at most, each of an address. */
  readonly attempts: number;
  readonly deadlineMs: number;
}

export interface WalkOptions {
  readonly connectString: string;
  /** For each attempt, unless the text has a CONNECT_TIMEOUT. */
  readonly attemptMs: number;
  /** Where tnsnames.ora is; empty where nobody knows. */
  readonly namesDir: string;
  readonly clock: Clock;
  /** How many addresses a name has; rejects for an unknown one. */
  readonly countRecords?: (host: string) => Promise<number>;
}

/** A node of the tree that is walked: what it costs, and its addresses. */
interface Cost {
  readonly attempts: number;
  readonly ms: number;
}

/** The driver's way of shuffling chooses among the first ten. */
const MAX_SHUFFLED = 10;
const LOOKUP_DEADLINE_MS = 10_000;
/** For a name that only the driver can resolve: as many addresses as a large cluster has. */
const UNKNOWN_ATTEMPTS = 16;
const IS_YES = /^(?:yes|on|true)$/i;
const LIST_HEAD = /^\(\s*DESCRIPTION_LIST\s*=/i;

const countByLookup = async (host: string): Promise<number> => (await lookup(host, { all: true })).length;

/** Works out the walk of one log-on. Throws DatabaseError for a list that the driver can't shuffle. */
export async function planWalk(options: WalkOptions): Promise<Walk> {
  const text = (await resolveName(options)).trim();
  if (text.startsWith('(')) return planDescriptor(text, options);
  if (!/[:/]/.test(text)) return plan(text, { attempts: UNKNOWN_ATTEMPTS, ms: UNKNOWN_ATTEMPTS * options.attemptMs });
  const { hosts, inOrder, parameters } = readEasyConnect(text);
  if (IS_YES.test(parameters.get('load_balance') ?? '')) assertShuffleable(hosts.length);
  const records = await countAll(hosts, options);
  const attemptMs = secondsIn(parameters.get('connect_timeout')) || options.attemptMs;
  const retries = numberIn(parameters.get('retry_count'));
  const delayMs = secondsIn(parameters.get('retry_delay'));
  const isFirstOnly = parameters.has('failover') && !IS_YES.test(parameters.get('failover') ?? '');
  const counts = hosts.map((host) => records.of(host));
  const once = isFirstOnly ? Math.max(1, ...counts) : counts.reduce((sum, count) => sum + count, 0);
  const attempts = once * (1 + retries);
  return plan(inOrder, { attempts, ms: records.tookMs + attempts * attemptMs + retries * delayMs });
}

async function planDescriptor(text: string, options: WalkOptions): Promise<Walk> {
  const root = parseDescriptor(text);
  // The driver says better what is wrong with it.
  if (!isDescriptor(root)) return plan(text, { attempts: 1, ms: options.attemptMs });
  const records = await countAll(hostsIn(root), options);
  const retries = Math.max(0, ...descriptionsIn(root).map((node) => numberIn(childOf(node, 'RETRY_COUNT')?.atom)));
  const costs = descriptionsIn(root).map((node) => costOf(node, records.of, retries, options.attemptMs));
  const total = costs.reduce(add, { attempts: 0, ms: records.tookMs });
  const isList = root.name === 'DESCRIPTION_LIST';
  if (isList && isShuffled(root)) assertShuffleable(root.children.length - 1);
  const needsOrder = isList && childOf(root, 'LOAD_BALANCE') === undefined;
  const oneLine = text.replace(/\s*[\r\n]+\s*/g, '');
  return plan(needsOrder ? oneLine.replace(LIST_HEAD, '(DESCRIPTION_LIST=(LOAD_BALANCE=OFF)') : oneLine, total);
}

function costOf(
  description: DescriptorNode,
  records: (host: string) => number,
  retries: number,
  defaultMs: number,
): Cost {
  const attemptMs = secondsIn(childOf(description, 'CONNECT_TIMEOUT')?.atom) || defaultMs;
  const attempts = Math.max(1, attemptsOf(description, records)) * (1 + retries);
  return { attempts, ms: attempts * attemptMs + retries * secondsIn(childOf(description, 'RETRY_DELAY')?.atom) };
}

/** Of a DESCRIPTION, an ADDRESS_LIST or an ADDRESS, once. */
function attemptsOf(node: DescriptorNode, records: (host: string) => number): number {
  if (node.name === 'ADDRESS') return isProxied(node) ? 1 : records(childOf(node, 'HOST')?.atom ?? '');
  const within = node.children.filter(({ name }) => name === 'ADDRESS' || name === 'ADDRESS_LIST');
  if (isShuffled(node)) assertShuffleable(within.length);
  const counts = within.map((child) => attemptsOf(child, records));
  const isOnly = saysNo(node, 'FAILOVER') || IS_YES.test(childOf(node, 'SOURCE_ROUTE')?.atom ?? '');
  return isOnly ? Math.max(0, ...counts) : counts.reduce((sum, count) => sum + count, 0);
}

function add(left: Cost, right: Cost): Cost {
  return { attempts: left.attempts + right.attempts, ms: left.ms + right.ms };
}

function plan(connectString: string, { attempts, ms }: Cost): Walk {
  return { connectString, attempts: Math.max(1, attempts), deadlineMs: ms };
}

function descriptionsIn(root: DescriptorNode): readonly DescriptorNode[] {
  return root.name === 'DESCRIPTION_LIST' ? root.children.filter(({ name }) => name === 'DESCRIPTION') : [root];
}

function hostsIn(node: DescriptorNode): string[] {
  if (node.name !== 'ADDRESS') return node.children.flatMap(hostsIn);
  const host = childOf(node, 'HOST')?.atom ?? '';
  return host === '' || isProxied(node) ? [] : [host];
}

function isProxied(address: DescriptorNode): boolean {
  return childOf(address, 'HTTPS_PROXY') !== undefined;
}

function isShuffled(node: DescriptorNode): boolean {
  return IS_YES.test(childOf(node, 'LOAD_BALANCE')?.atom ?? '');
}

function saysNo(node: DescriptorNode, name: string): boolean {
  const said = childOf(node, name)?.atom;
  return said !== undefined && !IS_YES.test(said);
}

function numberIn(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/** The driver takes bare seconds and ignores what has a unit. */
function secondsIn(text: string | undefined): number {
  return numberIn(text) * 1000;
}

/** What a connect string that is a name stands for, where that can be read; else the name, for the driver. */
async function resolveName({ connectString, namesDir }: WalkOptions): Promise<string> {
  const name = connectString.trim();
  if (namesDir === '' || /[()/:]/.test(name)) return name;
  const file = await readFile(join(namesDir, 'tnsnames.ora'), 'utf8').catch(() => '');
  const found = readNames(file).findLast(({ names }) => names.includes(name.toUpperCase()))?.value ?? '';
  if (found.startsWith('(')) return isDescriptor(parseDescriptor(found)) ? found : name;
  return /[:/]/.test(found) ? found : name;
}

/** All at once; the driver asks for one after the other, and may wait as long for each. */
async function countAll(
  hosts: readonly string[],
  { clock, countRecords = countByLookup }: WalkOptions,
): Promise<{ readonly of: (host: string) => number; readonly tookMs: number }> {
  const names = [...new Set(hosts)].filter((host) => isIP(host) === 0);
  const startedAtMs = clock.monotonic();
  const counts = new Map<string, number>();
  const counting = names.map(async (name) => {
    counts.set(name, await withDeadline(clock, LOOKUP_DEADLINE_MS, 'look up', countRecords(name)));
  });
  await Promise.allSettled(counting);
  const tookMs = (clock.monotonic() - startedAtMs) * names.length;
  return { of: (host) => counts.get(host) ?? 1, tookMs };
}

function assertShuffleable(addresses: number): void {
  if (addresses <= MAX_SHUFFLED) return;
  const text = `oracle.connectString: LOAD_BALANCE=ON over ${addresses} addresses, and the driver can do so with ${MAX_SHUFFLED}`;
  throw new DatabaseError('configuration', 'TOO_MANY_ADDRESSES', text, {
    remedy: `Leave LOAD_BALANCE out of oracle.connectString, or name at most ${MAX_SHUFFLED} addresses.`,
  });
}
