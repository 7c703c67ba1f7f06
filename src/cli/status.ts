import { systemClock } from '../core/clock.ts';
import { coerceError } from '../core/errors.ts';
import { reachableHost } from '../ops/http.ts';
import type { Status } from '../ops/status.ts';
import {
  type Command,
  CommandError,
  CONFIG_OPTIONS,
  flagOption,
  type Io,
  type OptionValues,
  textOption,
} from './command.ts';
import { EXIT } from './exit-codes.ts';

const ANSWER_WITHIN_MS = 5000;

export const statusCommand: Command = {
  name: 'status',
  summary: "prints the running bridge's numbers",
  usage: `Usage: mqtt-oracle-bridge status [--url URL]

Asks a running bridge over HTTP how it is doing. Without --url, the address comes from
http.host and http.port of the configuration.

Exit code 0 when the bridge answered, 69 when it can't be reached.

Examples:
  mqtt-oracle-bridge status
  mqtt-oracle-bridge status --url http://gateway-01:8080
  mqtt-oracle-bridge status --json | jq .counters`,
  options: {
    url: { type: 'string', placeholder: 'URL', summary: 'where the bridge listens, such as http://127.0.0.1:8080' },
    json: { type: 'boolean', summary: 'print the answer as it came, as JSON' },
    ...CONFIG_OPTIONS,
  },
  run: async ({ values }, io) => {
    const base = baseUrl(values, io);
    const answer = await ask(base);
    io.stdout.write(flagOption(values, 'json') ? `${answer.trim()}\n` : formatStatus(parse(answer, base)));
    return EXIT.ok;
  },
};

function baseUrl(values: OptionValues, io: Io): string {
  const given = textOption(values, 'url');
  if (given === undefined) {
    const { host, port } = io.loadConfig(values, 'any').http;
    return `http://${reachableHost(host)}:${port}`;
  }
  const isHttp = URL.canParse(given) && /^https?:$/.test(new URL(given).protocol);
  if (!isHttp) throw new CommandError(EXIT.usage, `--url: not a URL such as http://127.0.0.1:8080: ${given}`);
  return given.replace(/\/+$/, '');
}

async function ask(base: string): Promise<string> {
  const deadline = new AbortController();
  const tooLate = new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`);
  const cancel = systemClock.setTimer(ANSWER_WITHIN_MS, () => deadline.abort(tooLate));
  try {
    const response = await fetch(`${base}/api/status`, { signal: deadline.signal, redirect: 'error' });
    if (!response.ok) throw new Error(`it answered ${response.status}; is this a bridge?`);
    return await response.text();
  } catch (thrown) {
    throw new CommandError(EXIT.unavailable, `no bridge reachable at ${base}: ${describeFailure(thrown)}`);
  } finally {
    cancel();
  }
}

/** fetch says no more than "fetch failed"; why is in its cause, or in the causes of that where a name has several addresses. */
function describeFailure(thrown: unknown): string {
  const error = coerceError(thrown);
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  return cause instanceof Error ? cause.message : error.message;
}

function parse(answer: string, base: string): Status {
  try {
    const status = JSON.parse(answer) as Status;
    if (typeof status.counters.valuesReceived === 'number') return status;
  } catch {
    // said below
  }
  throw new CommandError(EXIT.unavailable, `${base} answered, but not as a bridge does`);
}

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const yesNo = (flag: boolean): string => (flag ? 'yes' : 'no');

const LINES: readonly (readonly [label: string, read: (status: Status) => string])[] = [
  ['running for', (s) => duration(s.uptimeSeconds)],
  ['MQTT broker', ({ mqtt }) => (mqtt.connected ? `connected (MQTT ${mqtt.protocolVersion})` : 'not connected')],
  ['Oracle', ({ oracle }) => oracle.state + (oracle.since === undefined ? '' : ` since ${oracle.since}`)],
  ['messages received', ({ counters: c }) => number.format(c.messagesReceived)],
  ['messages undecodable', ({ counters: c }) => number.format(c.messagesUndecodable)],
  ['values received', ({ counters: c }) => number.format(c.valuesReceived)],
  ['values written', ({ counters: c }) => number.format(c.valuesWritten)],
  ['values backed up', ({ counters: c }) => number.format(c.valuesBackedUp)],
  ['values replayed', ({ counters: c }) => number.format(c.valuesReplayed)],
  ['values rejected', ({ counters: c }) => number.format(c.valuesRejected)],
  ['values dropped', ({ counters: c }) => number.format(c.valuesDropped)],
  ['values filtered', ({ counters: c }) => number.format(c.valuesFiltered)],
  ['values on the way', ({ audit }) => number.format(audit.pending)],
  ['all accounted for', ({ audit }) => yesNo(audit.balanced)],
  ['buffer', ({ buffer }) => `${number.format(buffer.size)} of ${number.format(buffer.capacity)}`],
  ['CSV backups', ({ backups: b }) => `${number.format(b.pendingRows)} rows in ${number.format(b.pendingFiles)} files`],
  ['average batch', ({ rolling }) => `${number.format(rolling.avgBatchSize)} rows`],
  ['average write', ({ rolling }) => `${number.format(rolling.avgWriteLatencyMs)} ms`],
];

/** The numbers for a person: what needs attention first, then one line a figure. */
export function formatStatus(status: Status): string {
  const verdict = status.problems.length === 0 ? ['All is well.'] : status.problems.map((problem) => `! ${problem}`);
  const width = Math.max(...LINES.map(([label]) => label.length)) + 2;
  const figures = LINES.map(([label, read]) => `${label.padEnd(width)}${read(status)}`);
  const head = `${status.bridgeId} (version ${status.version})`;
  return `${[head, ...verdict, '', ...figures].map(printable).join('\n')}\n`;
}

/** What came over the network must not steer the terminal. */
function printable(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, ' ');
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** The two largest units: `3 h 12 min`. */
function duration(seconds: number): string {
  const first = UNITS.findIndex(([size]) => seconds >= size);
  if (first < 0) return '0 s';
  const [size, unit] = UNITS[first]!;
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0]);
  return `${Math.floor(seconds / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${next![1]}`}`;
}
