import { SKIPPED } from '../../../../src/core/message.ts';
import { TagValues } from '../../../../src/core/tag-values.ts';
import { createDecoder, type DecoderSurroundings, type Route } from '../../../../src/payload/decoder.ts';
import { PassingMemory } from '../../../../src/payload/passing-memory.ts';
import type { SparkplugOptions } from '../../../../src/payload/sparkplug/options.ts';
import { sparkplugB } from '../../../../src/payload/sparkplug/sparkplug-b.ts';
import { NO_COMMANDS } from '../../../../src/payload/sparkplug/node-commands.ts';

export const RECEIVED_AT_MS = 1_800_000_000_000;

/** Name, number, text, time and quality; a problem's code at the end, if there is one. */
export type SparkplugRow = readonly [
  name: string,
  number: number | null,
  text: string | null,
  timeMs: number | null,
  quality: string,
  problem?: string,
];

/** One process that reads messages in their order, each with the next number. */
export class Listener {
  readonly memory: DecoderSurroundings['memory'];
  readonly decoder;
  number: number;

  constructor({
    memory = new PassingMemory(),
    commands = NO_COMMANDS,
    options = {},
    plcCode = '',
    firstNumber = 1,
  }: {
    memory?: DecoderSurroundings['memory'];
    commands?: DecoderSurroundings['nodeCommands'];
    options?: Partial<SparkplugOptions>;
    plcCode?: string;
    firstNumber?: number;
  } = {}) {
    this.memory = memory;
    this.number = firstNumber - 1;
    const sparkplug = sparkplugB.options.sparkplug.complete!(options as SparkplugOptions);
    const route = { topic: '#', format: 'sparkplugB', plcCode, tagAddress: '', sparkplug } as Route;
    this.decoder = createDecoder([route], '{plc}.{tag}', { memory, nodeCommands: commands });
  }

  /** The rows, or the code of the reason. */
  hear(topic: string, payload: Buffer, retained = false): readonly SparkplugRow[] | string {
    const values = new TagValues(4);
    this.number += 1;
    const reason = this.decoder.decode(
      { number: this.number, topic, payload, receivedAtMs: RECEIVED_AT_MS, retained },
      values,
    );
    if (reason === undefined) return rowsOf(values);
    return reason === SKIPPED ? SKIPPED : reason.code;
  }

  /** The same message, not in its turn. */
  hearAside(topic: string, payload: Buffer): readonly SparkplugRow[] | string {
    const values = new TagValues(4);
    const reason = this.decoder.decodeAside({ number: 1, topic, payload, receivedAtMs: RECEIVED_AT_MS }, values);
    if (reason === undefined) return rowsOf(values);
    return reason === SKIPPED ? SKIPPED : reason.code;
  }
}

function rowsOf(values: TagValues): SparkplugRow[] {
  const orNull = (number: number): number | null => (Number.isNaN(number) ? null : number);
  return Array.from({ length: values.length }, (_, i): SparkplugRow => {
    const problem = values.problems[i]?.code;
    return [
      values.tags[i]!.name,
      orNull(values.numbers[i]!),
      values.texts[i]!,
      orNull(values.timesMs[i]!),
      values.qualities[i]!,
      ...(problem === undefined ? ([] as const) : ([problem] as const)),
    ];
  });
}
