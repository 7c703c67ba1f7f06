import { sleep, systemClock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import { paintFor } from '../text/colours.ts';
import {
  type Command,
  type CommandArgs,
  CommandError,
  CONFIG_OPTIONS,
  flagOption,
  type Io,
  type OptionValues,
  textOptions,
} from '../command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from '../exit-codes.ts';
import { bridgeUrl } from '../remote/bridge-request.ts';
import { askFleet, sumOf, type Member } from '../remote/fleet.ts';
import { formatFleet } from '../text/fleet-text.ts';
import { askStatus, readStatus, statusAddress } from '../remote/status-request.ts';
import { formatStatus } from '../text/status-text.ts';

const WATCH_EVERY_MS = 1000;

export const statusCommand: Command = {
  name: 'status',
  summary: "shows the running bridge's numbers, or a fleet's",
  usage: `Usage: mqtt-oracle-bridge status [--url URL] [--json | --watch]
       mqtt-oracle-bridge status --fleet URL... [--json | --watch]

Asks a running bridge over HTTP how it is doing: whether all is well and, where it is
not, what to do about it, then its numbers. Without --url, the address comes from
http.host and http.port of the configuration. Several addresses are a fleet: a line for
each member and their sum, those that do not answer with the reason. Colours are for
terminals, unless NO_COLOR is set.

Examples:
  mqtt-oracle-bridge status
  mqtt-oracle-bridge status --watch
  mqtt-oracle-bridge status --url http://gateway-01:8080
  mqtt-oracle-bridge status --json | jq .counters
  mqtt-oracle-bridge status --fleet http://gateway-01:8080 http://gateway-02:8080
  mqtt-oracle-bridge status --json --fleet http://gateway-0{1,2}:8080 | jq .sum`,
  exitCodes: {
    0: 'the bridge answered, or every member did, whatever it said',
    66: EXIT_MEANINGS[66],
    69: "it can't be reached, or a member can't",
    78: EXIT_MEANINGS[78],
  },
  options: {
    url: {
      type: 'string',
      multiple: true,
      placeholder: 'URL',
      summary: 'where the bridge listens, such as http://127.0.0.1:8080; repeated: a fleet',
    },
    fleet: { type: 'boolean', summary: 'the addresses that stand on the line are members of a fleet' },
    json: { type: 'boolean', summary: 'print the answer as it came, as JSON; of a fleet, members and sum' },
    watch: { type: 'boolean', short: 'w', summary: 'show it anew each second, until Ctrl-C' },
    ...CONFIG_OPTIONS,
  },
  takesPositionals: true,
  run: async (args, io) => {
    const { values } = args;
    const members = fleetAddresses(args);
    if (members.length > 0) {
      if (flagOption(values, 'watch')) {
        return watch(async () => fleetText(await askFleet(members), io), values, io);
      }
      return printFleet(await askFleet(members), values, io);
    }
    const base = baseUrl(values, io);
    if (flagOption(values, 'watch')) return watch(async () => format(await askStatus(base), base, io), values, io);
    const answer = await askStatus(base);
    io.stdout.write(flagOption(values, 'json') ? `${answer.trim()}\n` : format(answer, base, io));
    return EXIT.ok;
  },
};

/** The addresses of a fleet, each once; none where a single bridge is asked. */
function fleetAddresses({ values, positionals }: CommandArgs): string[] {
  const isFleet = flagOption(values, 'fleet');
  const [extra] = positionals;
  if (extra !== undefined && !isFleet) {
    throw new CommandError(EXIT.usage, `unexpected argument ${extra}: addresses stand after --url or --fleet`);
  }
  const named = textOptions(values, 'url').map((url) => statusAddress(url, '--url'));
  const members = [...new Set([...named, ...positionals.map((url) => statusAddress(url, '--fleet'))])];
  if (isFleet && members.length === 0) {
    throw new CommandError(EXIT.usage, 'status --fleet: give the addresses of its members');
  }
  return isFleet || members.length > 1 ? members : [];
}

function printFleet(members: readonly Member[], values: OptionValues, io: Io): ExitCode {
  const isJson = flagOption(values, 'json');
  io.stdout.write(isJson ? `${JSON.stringify({ members, sum: sumOf(members) })}\n` : fleetText(members, io));
  return members.every(({ status }) => status !== undefined) ? EXIT.ok : EXIT.unavailable;
}

function fleetText(members: readonly Member[], { stdout, env }: Io): string {
  return formatFleet(members, paintFor(stdout, env), stdout.isTTY === true ? stdout.columns : undefined);
}

/** Until Ctrl-C ends the process; a bridge that goes away may come back. The first time, `show` may end the command. */
async function watch(show: () => Promise<string>, values: OptionValues, io: Io): Promise<ExitCode> {
  if (flagOption(values, 'json')) throw new CommandError(EXIT.usage, 'status: give one of --json and --watch');
  if (io.stdout.isTTY !== true) throw new CommandError(EXIT.usage, 'status --watch needs a terminal to draw on');
  const paint = paintFor(io.stdout, io.env);
  let text = await show();
  for (;;) {
    // Line by line over what stands there, then the rest away: nothing flickers.
    io.stdout.write(`\u001B[H${text.replaceAll('\n', '\u001B[K\n')}\u001B[J`);
    await sleep(systemClock, WATCH_EVERY_MS);
    text = await show().catch((error: unknown) => `${paint('red', coerceError(error).message)}\n`);
  }
}

function baseUrl(values: OptionValues, io: Io): string {
  const [given] = textOptions(values, 'url');
  if (given !== undefined) return statusAddress(given, '--url');
  const { enabled, host, port } = io.loadConfig(values, 'any').http;
  if (!enabled) throw new CommandError(EXIT.unavailable, 'http.enabled is false: a bridge without HTTP has no status');
  if (port === 0) {
    throw new CommandError(EXIT.unavailable, 'http.port is 0: name the port that the bridge logged, with --url');
  }
  return bridgeUrl({ host, port });
}

function format(answer: string, base: string, { stdout, env }: Io): string {
  const status = readStatus(answer);
  if (status === undefined) {
    throw new CommandError(EXIT.unavailable, `${base} answered, but not as a bridge does: is another program there?`);
  }
  return formatStatus(status, paintFor(stdout, env), stdout.isTTY === true ? stdout.columns : undefined);
}
