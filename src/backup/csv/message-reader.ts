import type { FileSystem } from '../../core/filesystem.ts';
import type { Message } from '../../core/message.ts';
import { parseCsv } from './csv-reader.ts';
import { CsvError, textOfField, type CsvRecord } from './csv.ts';
import type { UNDECODABLE_COLUMNS } from './row-format.ts';
import { TimeReader } from './time-text.ts';

type MessageColumn = (typeof UNDECODABLE_COLUMNS)[number];

/** A message as it came, and which journal numbered it; empty where that is not said. */
export interface KeptMessage extends Message {
  readonly journal: string;
}

/** Without these there is no message, or no place in the stream. */
const NEEDED: readonly MessageColumn[] = ['topic', 'payload_base64', 'received_at', 'message_no'];
const WHOLE_NUMBER = /^\d{1,16}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Reads the messages of an undecodable file back, some at a time, exactly as they were. Columns are found by their
 * names. Throws CsvError, which names the line and the column, where a file does not hold what it should, and the
 * system error of the disk.
 */
export async function* readMessages(
  fileSystem: FileSystem,
  path: string,
): AsyncGenerator<KeptMessage[], void, undefined> {
  let reader: MessageReader | undefined;
  for await (const records of parseCsv(fileSystem, path)) {
    const messages: KeptMessage[] = [];
    for (const record of records) {
      if (reader === undefined) reader = new MessageReader(record);
      else messages.push(reader.read(record));
    }
    if (messages.length > 0) yield messages;
  }
  if (reader === undefined) throw new CsvError(1, undefined, 'the header line is missing');
}

class MessageReader {
  readonly #names: readonly (string | undefined)[];
  readonly #times = new TimeReader();

  constructor({ fields, line }: CsvRecord) {
    this.#names = fields.map((field) => field?.trim().toLowerCase());
    const missing = NEEDED.find((column) => !this.#names.includes(column));
    if (missing !== undefined) throw new CsvError(line, missing, 'the column is missing');
  }

  read(record: CsvRecord): KeptMessage {
    const { fields, line } = record;
    if (fields.length !== this.#names.length) {
      throw new CsvError(line, undefined, `${fields.length} fields instead of ${this.#names.length}`);
    }
    const number = Number(this.#matching(record, 'message_no', WHOLE_NUMBER, 'not a whole number'));
    const receivedAtMs = this.#times.timeMs(this.#field(record, 'received_at'));
    if (receivedAtMs === undefined) throw new CsvError(line, 'received_at', 'not an ISO 8601 time with a time zone');
    const payload = Buffer.from(this.#matching(record, 'payload_base64', BASE64, 'not base64'), 'base64');
    const bytes = this.#field(record, 'payload_bytes');
    if (bytes !== '' && Number(bytes) !== payload.length) {
      throw new CsvError(line, 'payload_base64', `${payload.length} bytes instead of ${bytes}`);
    }
    const topic = textOfField(this.#field(record, 'topic'));
    return { number, topic, payload, receivedAtMs, journal: this.#field(record, 'journal') };
  }

  /** Empty for a column that is not there. */
  #field({ fields }: CsvRecord, column: MessageColumn): string {
    return fields[this.#names.indexOf(column)] ?? '';
  }

  #matching(record: CsvRecord, column: MessageColumn, form: RegExp, problem: string): string {
    const text = this.#field(record, column);
    if (!form.test(text)) throw new CsvError(record.line, column, problem);
    return text;
  }
}
