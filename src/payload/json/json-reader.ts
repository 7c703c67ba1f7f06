import { SKIPPED, type Message } from '../../core/message.ts';
import type { TagValues } from '../../core/tag-values.ts';
import type { DecodeOutcome, FormatScope } from '../format.ts';
import { MemoryFullError } from '../format-memory.ts';
import type { NameTables } from '../name-tables.ts';
import type { TagCatalog } from '../tag-name.ts';
import type { CompiledMapping } from './compile.ts';
import { createCursor, type Cursor } from './cursor.ts';
import { DictionaryReader } from './dictionary.ts';
import { parseText, readPayload } from './documents.ts';
import { parseDocuments } from './exact-parser.ts';
import { jsonReason } from './reasons.ts';
import { RowReader, type Target } from './row-reader.ts';

type JsonScope = Pick<FormatScope, 'keepsQualityCode' | 'names' | 'tags'>;

/**
 * Reads messages by a mapping.
 *
 * A payload is parsed by JSON.parse. Where a number turns out to matter that it may have spoilt, the rows are made a
 * second time, from a document that the exact parser gives; that costs several times as much, and such messages are
 * few.
 */
export class JsonReader {
  readonly #mapping: CompiledMapping;
  readonly #tags: TagCatalog;
  readonly #tagsWithoutPlc: TagCatalog;
  readonly #names: NameTables;
  readonly #rows: readonly RowReader[];
  readonly #dictionary: DictionaryReader | undefined;

  constructor(mapping: CompiledMapping, { keepsQualityCode, names, tags }: JsonScope) {
    this.#mapping = mapping;
    this.#tags = tags;
    this.#tagsWithoutPlc = tags.withoutPlc();
    this.#names = names;
    this.#rows = mapping.rows.map((row) => new RowReader(row, keepsQualityCode));
    this.#dictionary = mapping.dictionary === undefined ? undefined : new DictionaryReader(mapping.dictionary);
  }

  /** Puts the message's rows into the list, or says why it can't, or that there are none to be had. */
  decode(message: Message, into: TagValues): DecodeOutcome {
    const outcome = this.decodeAside(message, into);
    const told = outcome === undefined ? this.#dictionary?.told : undefined;
    if (told === undefined) return outcome;
    try {
      this.#names.note(message.topic, message.number, told);
      return outcome;
    } catch (thrown) {
      if (!(thrown instanceof MemoryFullError)) throw thrown;
      return jsonReason('NAMES_FULL', thrown.message);
    }
  }

  /** The same, and no names that the message tells are remembered. */
  decodeAside(message: Message, into: TagValues): DecodeOutcome {
    const { compression, maxInflatedBytes, notFinite } = this.#mapping;
    const text = readPayload(message.payload, compression, maxInflatedBytes);
    if (typeof text !== 'string') return text;
    // Node-RED's way to send null, and how a retained message is cleared.
    if (text.trim() === '') return SKIPPED;
    const options = { readsNotFinite: notFinite === 'null' };
    const parsed = parseText(text, options);
    if (!('documents' in parsed)) return parsed;

    const cursor = createCursor(message.topic.split('/'));
    const target: Target = {
      into,
      tags: this.#tags,
      tagsWithoutPlc: this.#tagsWithoutPlc,
      names: this.#names,
      receivedAtMs: message.receivedAtMs,
      mayBeBroken: text.includes('\\u'),
      isExact: parsed.isExact,
    };
    const outcome = this.#expand(parsed.documents, cursor, target);
    if (!cursor.needsExact || parsed.isExact) return outcome;
    return this.#expand(parseDocuments(text, options), cursor, { ...target, isExact: true });
  }

  #expand(documents: readonly unknown[], cursor: Cursor, target: Target): DecodeOutcome {
    target.into.clear();
    for (const row of this.#rows) row.begin(cursor, target);
    this.#dictionary?.begin();
    let isSkipped = true;
    for (const document of documents) {
      const parts: readonly unknown[] =
        this.#mapping.isArrayOfDocuments && Array.isArray(document) ? document : [document];
      for (const part of parts) {
        const outcome = this.#expandOne(part, cursor);
        if (outcome === undefined) isSkipped = false;
        else if (outcome !== SKIPPED) return outcome;
      }
      // An empty list of documents is no message that was meant for somebody else.
      if (parts.length === 0) isSkipped = false;
    }
    return isSkipped ? SKIPPED : undefined;
  }

  #expandOne(document: unknown, cursor: Cursor): DecodeOutcome {
    const { when, rows } = this.#mapping;
    cursor.values[0] = document;
    if (when !== undefined && !when(cursor)) return SKIPPED;
    let found = this.#dictionary?.read(cursor) === true;
    for (const row of this.#rows) if (row.read(document)) found = true;
    return found ? undefined : jsonReason('ROWS_MISSING', rows.map(({ each }) => each).join(', '));
  }
}
