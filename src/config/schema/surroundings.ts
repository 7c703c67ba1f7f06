import { LOG_LEVELS } from '../../core/log-level.ts';
import type { Config } from '../config.ts';
import { baseTopic } from '../kinds/mqtt-kinds.ts';
import { bridgeId, bytes, choice, host, milliseconds, path, token, wholeNumber, yesNo } from '../kinds/plain-kinds.ts';
import type { Schema } from '../setting.ts';

export const bridgeSchema: Schema<Config['bridge']> = {
  id: {
    doc:
      'Name of this bridge. It stands in the ledger table, in topics and in log lines; no two bridges that write ' +
      'to one database may share it, and it must stay the same as long as the journal does.',
    kind: bridgeId,
    default: 'gateway-01',
  },
  drainTimeoutMs: {
    doc:
      'How long the bridge goes on writing what it holds when it is told to stop, in milliseconds. What is left ' +
      'then waits in the journal for the next start.',
    kind: milliseconds,
    min: 0,
    max: 600_000,
    default: 20_000,
  },
};

export const noticesSchema: Schema<Config['notices']> = {
  enabled: {
    doc: 'Whether the bridge publishes its own state, health and recovery notices over MQTT.',
    kind: yesNo,
    default: true,
  },
  baseTopic: {
    doc: 'The start of the topics under which the bridge publishes them. {id} stands for bridge.id.',
    kind: baseTopic,
    default: 'mqtt-oracle-bridge/{id}',
  },
  inlineCsvMaxBytes: {
    doc:
      'A backup file up to this size, in bytes, is published as a retained message beside its notice. 0: never. ' +
      'The broker must accept messages of this size.',
    kind: bytes,
    min: 0,
    max: 16_777_216,
    default: 65_536,
  },
};

export const httpSchema: Schema<Config['http']> = {
  enabled: {
    doc: 'Whether the status page, the metrics and the health checks are served.',
    kind: yesNo,
    default: true,
  },
  host: {
    doc:
      'Address to listen on. 127.0.0.1: this machine only; 0.0.0.0: every network the machine is in. Who reaches it ' +
      'can read the status, the last value of each tag and the CSV backups without a token. Any other address than ' +
      'that of this machine alone needs http.token.',
    kind: host,
    default: '127.0.0.1',
  },
  port: { doc: 'Port to listen on. 0: any that is free.', kind: wholeNumber, min: 0, max: 65_535, default: 8080 },
  token: {
    doc:
      'Secret that a caller must send to have backups replayed or discarded over HTTP. Empty: neither can be done ' +
      'over HTTP.',
    kind: token,
    default: '',
    mayBeEmpty: true,
    sensitive: true,
  },
};

export const controlSchema: Schema<Config['control']> = {
  enabled: {
    doc:
      'Whether commands on this machine reach the running bridge by a local socket: backups replay, discard and fix ' +
      'need no token then. Not on Windows.',
    kind: yesNo,
    default: true,
  },
  socket: {
    doc:
      'Path of that socket, at most 107 bytes (103 outside of Linux), in a directory that is there. Empty: ' +
      'control.sock in journal.dir.',
    kind: path,
    default: '',
    mayBeEmpty: true,
  },
  access: {
    doc:
      'Who may use it, beside root. owner: the user that the bridge runs as (mode 0600). group: the group of that ' +
      'user too (0660); then set control.socket to a directory that the group may enter.',
    kind: choice,
    choices: ['owner', 'group'],
    default: 'owner',
  },
};

export const logSchema: Schema<Config['log']> = {
  level: {
    doc: 'How much is logged, from little to much.',
    kind: choice,
    choices: LOG_LEVELS,
    default: 'info',
    appliedOnReload: true,
  },
  format: {
    doc: 'json: one JSON object a line, for log collectors; text: for reading.',
    kind: choice,
    choices: ['json', 'text'],
    default: 'json',
  },
  file: {
    doc: 'File to log to beside standard output; a new one is begun at 10 MB and five are kept. Empty: none.',
    kind: path,
    default: '',
    mayBeEmpty: true,
  },
};
