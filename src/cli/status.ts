import { sleep, systemClock } from '../core/clock.ts';
import { coerceError } from '../core/errors.ts';
import { reachableHost } from '../ops/http.ts';
import { paintFor } from './colours.ts';
import {
  type Command,
  CommandError,
  CONFIG_OPTIONS,
  flagOption,
  type Io,
  type OptionValues,
  textOption,
} from './command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit-codes.ts';
import { formatStatus, type ShownStatus } from './status-text.ts';

const ANSWER_WITHIN_MS = 5000;
const WATCH_EVERY_MS = 1000;
const REMEDY = 'start it, or name its address with --url (http.host and http.port of its configuration)';

export const statusCommand: Command = {
  name: 'status',
  summary: "shows the running bridge's numbers",
  usage: `Usage: mqtt-oracle-bridge status [--url URL] [--json | --watch]

Asks a running bridge over HTTP how it is doing: whether all is well and, where it is
not, what to do about it, then its numbers. Without --url, the address comes from
http.host and http.port of the configuration. Colours are for terminals, unless NO_COLOR
is set.

Examples:
  mqtt-oracle-bridge status
  mqtt-oracle-bridge status --watch
  mqtt-oracle-bridge status --url http://gateway-01:8080
  mqtt-oracle-bridge status --json | jq .counters`,
  exitCodes: {
    0: 'the bridge answered, whatever it said',
    66: EXIT_MEANINGS[66],
    69: "it can't be reached",
    78: EXIT_MEANINGS[78],
  },
  options: {
    url: { type: 'string', placeholder: 'URL', summary: 'where the bridge listens, such as http://127.0.0.1:8080' },
    json: { type: 'boolean', summary: 'print the answer as it came, as JSON' },
    watch: { type: 'boolean', short: 'w', summary: 'show it anew each second, until Ctrl-C' },
    ...CONFIG_OPTIONS,
  },
  run: async ({ values }, io) => {
    const base = baseUrl(values, io);
    if (flagOption(values, 'watch')) return watch(base, values, io);
    const answer = await ask(base);
    io.stdout.write(flagOption(values, 'json') ? `${answer.trim()}\n` : format(answer, base, io));
    return EXIT.ok;
  },
};

/** Until Ctrl-C ends the process; a bridge that goes away may come back. */
async function watch(base: string, values: OptionValues, io: Io): Promise<ExitCode> {
  if (flagOption(values, 'json')) throw new CommandError(EXIT.usage, 'status: give one of --json and --watch');
  if (io.stdout.isTTY !== true) throw new CommandError(EXIT.usage, 'status --watch needs a terminal to draw on');
  const paint = paintFor(io.stdout, io.env);
  let text = format(await ask(base), base, io);
  for (;;) {
    // Line by line over what stands there, then the rest away: nothing flickers.
    io.stdout.write(`\u001B[H${text.replaceAll('\n', '\u001B[K\n')}\u001B[J`);
    await sleep(systemClock, WATCH_EVERY_MS);
    text = await ask(base).then(
      (answer) => format(answer, base, io),
      (error: unknown) => `${paint('red', coerceError(error).message)}\n`,
    );
  }
}

function baseUrl(values: OptionValues, io: Io): string {
  const given = textOption(values, 'url');
  if (given === undefined) {
    const { enabled, host, port } = io.loadConfig(values, 'any').http;
    if (!enabled)
      throw new CommandError(EXIT.unavailable, 'http.enabled is false: a bridge without HTTP has no status');
    if (port === 0) {
      throw new CommandError(EXIT.unavailable, 'http.port is 0: name the port that the bridge logged, with --url');
    }
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
    if (!response.ok) throw new Error(`it answered ${response.status}: is this a bridge?`);
    return await response.text();
  } catch (thrown) {
    const problem = `no bridge reachable at ${base}: ${describeFailure(thrown)}`;
    throw new CommandError(EXIT.unavailable, `${problem}; ${REMEDY}`);
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

function format(answer: string, base: string, { stdout, env }: Io): string {
  try {
    const status = JSON.parse(answer) as ShownStatus;
    if (typeof status.counters.valuesReceived === 'number') {
      return formatStatus(status, paintFor(stdout, env), stdout.isTTY === true ? stdout.columns : undefined);
    }
  } catch {
    // said below
  }
  throw new CommandError(EXIT.unavailable, `${base} answered, but not as a bridge does: is another program there?`);
}
