import type { Config } from '../config.ts';
import { bytes, choice, decimal, milliseconds, path, wholeNumber, yesNo } from '../kinds/plain-kinds.ts';
import type { Schema } from '../setting.ts';

export const bufferSchema: Schema<Config['buffer']> = {
  capacity: {
    doc: 'How many tag values fit into memory between the broker and Oracle. 100,000 take about ten megabytes.',
    kind: wholeNumber,
    min: 1,
    max: 10_000_000,
    default: 100_000,
  },
  onFull: {
    doc:
      'What happens when the buffer is full. wait: messages wait on disk; dropOldest: the oldest values are given ' +
      'up and counted.',
    kind: choice,
    choices: ['wait', 'dropOldest'],
    default: 'wait',
  },
};

export const writerSchema: Schema<Config['writer']> = {
  batchSize: {
    doc: 'How many rows are written to Oracle in one transaction, at most, while no more wait.',
    kind: wholeNumber,
    min: 1,
    max: 10_000,
    default: 500,
    appliedOnReload: true,
  },
  maxBatchSize: {
    doc:
      'The most rows of a transaction while more wait than a batch has, after an outage or in a replay: batches grow up ' +
      'to it, as long as each takes no longer than writer.intervalMs. Over a long line a batch costs its round trips ' +
      'whatever its size is: check --connect measures them, and says what this allows. Where it is less than ' +
      'writer.batchSize, that holds.',
    kind: wholeNumber,
    min: 1,
    max: 10_000,
    default: 500,
    appliedOnReload: true,
  },
  intervalMs: {
    doc: 'The longest that a value waits for its batch to fill, in milliseconds. Full batches are written at once.',
    kind: milliseconds,
    min: 1,
    max: 60_000,
    default: 500,
    appliedOnReload: true,
  },
  retry: {
    attempts: {
      doc:
        'How many more times a batch is tried when Oracle fails in passing, before it goes to a CSV backup. 0: not ' +
        'again.',
      kind: wholeNumber,
      min: 0,
      max: 20,
      default: 3,
      appliedOnReload: true,
    },
    initialDelayMs: {
      doc: 'Wait before the first retry, in milliseconds.',
      kind: milliseconds,
      min: 1,
      max: 60_000,
      default: 1000,
      appliedOnReload: true,
    },
    factor: {
      doc: 'By how much each wait is longer than the one before: with 2 and 1000 ms they are 1, 2 and 4 s.',
      kind: decimal,
      min: 1,
      max: 10,
      default: 2,
      appliedOnReload: true,
    },
  },
};

export const journalSchema: Schema<Config['journal']> = {
  dir: {
    doc:
      'Directory in which messages are kept from their receipt until they are settled. It must be on a local disk ' +
      'and belong to this bridge alone.',
    kind: path,
    default: 'data/journal',
  },
  maxBytes: {
    doc: 'The most that the journal may take on disk, in bytes. When it is full the broker keeps what comes.',
    kind: bytes,
    min: 4_194_304,
    max: 1_099_511_627_776,
    default: 1_073_741_824,
  },
  segmentBytes: {
    doc: 'Size of one journal file, in bytes. Settled messages free their room a file at a time.',
    kind: bytes,
    min: 1_048_576,
    max: 1_073_741_824,
    default: 16_777_216,
  },
  sync: {
    doc:
      'When messages are forced to disk. always: before the broker is told that they were received; nothing is ' +
      'lost. interval: every 200 ms; a power cut may lose as much. never: when the system likes; a power cut may ' +
      'lose half a minute. A crash of the bridge alone loses nothing with any of them.',
    kind: choice,
    choices: ['always', 'interval', 'never'],
    default: 'always',
  },
};

export const backupSchema: Schema<Config['backup']> = {
  dir: {
    doc: 'Directory for the CSV files of what Oracle did not take. It must belong to this bridge alone.',
    kind: path,
    default: 'data/backup',
  },
  maxRowsPerFile: {
    doc: 'After how many rows the next CSV file is begun.',
    kind: wholeNumber,
    min: 1,
    max: 10_000_000,
    default: 50_000,
  },
  replay: {
    doc: 'Whether backups are written to Oracle by themselves when it is back. false: only when a person asks.',
    kind: yesNo,
    default: true,
    appliedOnReload: true,
  },
  probeIntervalMs: {
    doc: 'While Oracle is down, how often the bridge asks whether it is back, in milliseconds.',
    kind: milliseconds,
    min: 10,
    max: 3_600_000,
    default: 5000,
  },
};
