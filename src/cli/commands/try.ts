import { readFile } from 'node:fs/promises';

import { systemClock } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import type { TriedMessage } from '../../core/tried-message.ts';
import { sizeText } from '../../core/wording.ts';
import { MAX_TEXT_BYTES } from '../../oracle/statements.ts';
import { MessageTrial } from '../../try-message.ts';
import { type Command, CommandError, CONFIG_OPTIONS, flagOption, type Io, textOptions } from '../command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from '../exit-codes.ts';
import { triedText } from '../text/try-text.ts';

/** The longest packet of MQTT [MQTT 5.0 section 1.5.5]. */
const MAX_PAYLOAD_BYTES = 268_435_455;

export const tryCommand: Command = {
  name: 'try',
  summary: 'shows the rows that a payload becomes, or why it becomes none',
  usage: `Usage: mqtt-oracle-bridge try --topic TOPIC --payload FILE | - [--json] [--config FILE]...
       mqtt-oracle-bridge try --topic TOPIC --payload FILE --topic TOPIC --payload FILE ...

Decodes a payload as the bridge with this configuration would, checks each row as before
it is written, and prints the rows, or the reason why there are none, and which
subscription took the topic. Needs no broker and no database; nothing is written.
--payload - reads standard input. Several payloads are decoded in their order, each with
the topic at the same place, or all with the only one: a birth, then its data. A value
without a time of its own gets the present one, as at its receipt.

Examples:
  mqtt-oracle-bridge try -c bridge.json --topic plc/PLC01/tags --payload message.json
  mosquitto_sub -t plc/PLC01/tags -C 1 -N | mqtt-oracle-bridge try --topic plc/PLC01/tags --payload -
  mqtt-oracle-bridge try --topic plc/PLC01/tags --payload message.json --json | jq .rows`,
  exitCodes: {
    0: 'rows that nothing here speaks against, or a message that is skipped as it should be',
    65: 'a payload can not be decoded, or a row would be rejected',
    66: EXIT_MEANINGS[66],
    74: 'a payload can not be read',
    78: 'wrong configuration, or no subscription takes the topic',
  },
  options: {
    topic: { type: 'string', short: 't', multiple: true, placeholder: 'TOPIC', summary: 'the topic of the message' },
    payload: {
      type: 'string',
      short: 'p',
      multiple: true,
      placeholder: 'FILE',
      summary: 'a file with the bytes of the message; - is standard input',
    },
    json: { type: 'boolean', summary: 'print JSON: an object for one payload, a list for several' },
    ...CONFIG_OPTIONS,
  },
  run: async ({ values }, io) => {
    const topics = textOptions(values, 'topic');
    const payloads = textOptions(values, 'payload');
    assertPairs(topics, payloads);
    const trial = new MessageTrial(io.loadConfig(values, 'any'), MAX_TEXT_BYTES);
    const tried: TriedMessage[] = [];
    for (const [i, name] of payloads.entries()) {
      const payload = await readPayload(name, io);
      tried.push(trial.try({ topic: topics[i] ?? topics[0]!, payload, receivedAtMs: systemClock.now() }));
    }
    const [only, another] = tried;
    if (flagOption(values, 'json')) {
      io.stdout.write(`${JSON.stringify(another === undefined ? only : tried, null, 2)}\n`);
    } else {
      io.stdout.write(tried.map(triedText).join('\n'));
    }
    return tried.map(exitCodeOf).find((code) => code !== EXIT.ok) ?? EXIT.ok;
  },
};

function assertPairs(topics: readonly string[], payloads: readonly string[]): void {
  if (topics.length === 0) throw new CommandError(EXIT.usage, 'try: --topic must be given');
  if (payloads.length === 0) throw new CommandError(EXIT.usage, 'try: --payload must be given: a file, or - for stdin');
  if (topics.length !== 1 && topics.length !== payloads.length) {
    throw new CommandError(EXIT.usage, 'try: give one --topic for all payloads, or one for each');
  }
  if (payloads.filter((name) => name === '-').length > 1) {
    throw new CommandError(EXIT.usage, 'try: --payload - can be given once only');
  }
  const filter = topics.find((topic) => topic === '' || /[+#\0]/.test(topic));
  if (filter !== undefined) {
    throw new CommandError(EXIT.usage, `try: --topic must be the topic of one message, not ${JSON.stringify(filter)}`);
  }
}

async function readPayload(name: string, { stdin }: Io): Promise<Buffer> {
  try {
    return name === '-' ? await readAll(stdin?.() ?? []) : await readFile(name);
  } catch (thrown) {
    if (thrown instanceof CommandError) throw thrown;
    throw new CommandError(EXIT.inputOutput, `--payload ${name}: ${coerceError(thrown).message}`);
  }
}

async function readAll(stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes <= MAX_PAYLOAD_BYTES) continue;
    throw new CommandError(
      EXIT.inputOutput,
      `--payload -: more than ${sizeText(MAX_PAYLOAD_BYTES)}, which MQTT allows`,
    );
  }
  return Buffer.concat(chunks);
}

function exitCodeOf({ outcome, rejectedCount, subscription }: TriedMessage): ExitCode {
  if (subscription === null) return EXIT.config;
  return outcome === 'undecodable' || rejectedCount > 0 ? EXIT.dataError : EXIT.ok;
}
