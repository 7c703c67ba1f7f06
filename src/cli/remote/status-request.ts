import type { Status } from '../../ops/status.ts';
import { CommandError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { askBridge, describeFailure } from './bridge-request.ts';

type LaterOfMqtt = 'silentSubscriptions' | 'subscriptions';

/** What a bridge of another version may leave out. */
interface Additions {
  readonly rates?: {
    readonly valuesInPerSecond: number;
    readonly valuesOutPerSecond: number;
    readonly messagesPerSecond?: number;
  };
  /** What can be done about a problem. */
  readonly advice?: readonly { readonly problem: string; readonly remedy: string }[];
  readonly destinations?: Status['destinations'];
  readonly disks?: Status['disks'];
  readonly outages?: Status['outages'];
  readonly journal: Status['journal'] & { readonly maxBytes?: number };
  readonly mqtt: Omit<Status['mqtt'], LaterOfMqtt> & Partial<Pick<Status['mqtt'], LaterOfMqtt>>;
}

export type ShownStatus = Omit<Status, keyof Additions> & Additions;

const REMEDY = 'start it, or name its address with --url (http.host and http.port of its configuration)';

/** The fields that every version of the bridge has in its status, as far as they are shown. */
const EXPECTED: readonly (readonly [path: string, type: 'string' | 'number' | 'boolean' | 'array'])[] = [
  ['bridgeId', 'string'],
  ['version', 'string'],
  ['uptimeSeconds', 'number'],
  ['mqtt.connected', 'boolean'],
  ['oracle.state', 'string'],
  ['counters.valuesReceived', 'number'],
  ['buffer.size', 'number'],
  ['journal.bytes', 'number'],
  ['backups.pendingRows', 'number'],
  ['rolling.avgBatchSize', 'number'],
  ['audit.pending', 'number'],
  ['problems', 'array'],
];

/** The address as a person gave it, without the slashes at its end. Throws a CommandError when it is none. */
export function statusAddress(given: string, option: string): string {
  const isHttp = URL.canParse(given) && /^https?:$/.test(new URL(given).protocol);
  if (!isHttp) throw new CommandError(EXIT.usage, `${option}: not a URL such as http://127.0.0.1:8080: ${given}`);
  return given.replace(/\/+$/, '');
}

/** The answer of `/api/status` as it came. Throws a CommandError, one line, when none comes within 5 s. */
export async function askStatus(base: string): Promise<string> {
  try {
    return await request(base);
  } catch (thrown) {
    const problem = `no bridge reachable at ${base}: ${describeFailure(thrown)}`;
    throw new CommandError(EXIT.unavailable, `${problem}; ${REMEDY}`);
  }
}

/** The status of a member of a fleet, or in one sentence why there is none. Never rejects. */
export async function askMember(base: string): Promise<ShownStatus | string> {
  try {
    return readStatus(await request(base)) ?? 'it answered, but not as a bridge does: is another program there?';
  } catch (thrown) {
    return describeFailure(thrown);
  }
}

/** The answer as a status; undefined when it is none. */
export function readStatus(answer: string): ShownStatus | undefined {
  try {
    const status: unknown = JSON.parse(answer);
    const isStatus = EXPECTED.every(([path, type]) => typeOf(valueAt(status, path)) === type);
    return isStatus ? (status as ShownStatus) : undefined;
  } catch {
    return undefined;
  }
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function valueAt(document: unknown, path: string): unknown {
  let value = document;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name];
  return value;
}

async function request(base: string): Promise<string> {
  const { isGood, status, text } = await askBridge(`${base}/api/status`);
  if (!isGood) throw new Error(`it answered ${status}: is this a bridge?`);
  return text;
}
