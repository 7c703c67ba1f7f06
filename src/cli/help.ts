import type { Command, CommandOption } from './command.ts';
import { SEARCH_PATH } from './configuration.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from './exit-codes.ts';
import { alignCells } from './text/table.ts';

export const PROGRAM = 'mqtt-oracle-bridge';

const INTRODUCTION = `Usage: ${PROGRAM} [COMMAND] [OPTIONS]

Writes PLC tag values from MQTT into Oracle Database.`;

const EPILOGUE = `Options:
  -h, --help     this help; after a command, the help of that command
  -V, --version  the version

Without a command, the bridge runs.

Configuration comes from --config FILE, or else from the file that BRIDGE_CONFIG
names, or else from ${SEARCH_PATH.join(' or\n')}.
Every key can also be set in the environment: mqtt.url is BRIDGE_MQTT_URL.

Getting started:
  ${PROGRAM} config --example > config/bridge.json   then edit it
  ${PROGRAM} check                                   says what is wrong with it
  ${PROGRAM} schema                                  the tables, for your DBA
  ${PROGRAM} run
  ${PROGRAM} status                                  in another terminal

Exit codes:
${exitCodeTable(EXIT_MEANINGS)}`;

export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return `${INTRODUCTION}\n\nCommands:\n${table(rows)}\n\n${EPILOGUE}\n`;
}

export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(
    ([name, option]) => [flagText(name, option), option.summary] as const,
  );
  const exitCodes = { [EXIT.usage]: EXIT_MEANINGS[EXIT.usage], [EXIT.internal]: EXIT_MEANINGS[EXIT.internal] };
  return [
    command.usage.trim(),
    `Options:\n${table([...options, ['-h, --help', 'this help']])}`,
    `Exit codes:\n${exitCodeTable({ ...exitCodes, ...command.exitCodes })}\n`,
  ].join('\n\n');
}

/** Lists the codes in ascending order, as JavaScript orders keys that are numbers. */
function exitCodeTable(meanings: Readonly<Partial<Record<ExitCode, string>>>): string {
  return table(Object.entries(meanings));
}

function flagText(name: string, { short, placeholder }: CommandOption): string {
  const long = placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  return alignCells(rows)
    .map((line) => `  ${line}`)
    .join('\n');
}
