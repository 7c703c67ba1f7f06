import { COLUMNS, ON_DUPLICATE, VALUE_TYPES, type Column } from '../../core/columns.ts';
import type { OracleConfig } from '../config.ts';
import { FURTHER_CONTENT } from '../../core/further-columns.ts';
import { furtherColumns } from '../kinds/further-columns.ts';
import { destinations } from '../kinds/destinations-kind.ts';
import { columnName, connectString, tableName } from '../kinds/oracle-kinds.ts';
import { choice, milliseconds, path, text, wholeNumber } from '../kinds/plain-kinds.ts';
import type { Schema, Setting } from '../setting.ts';

function columnSetting({ defaultName, doc, key, mayBeAbsent }: Column): [string, Setting<string>] {
  const setting = { doc, kind: columnName, default: defaultName };
  return [key, mayBeAbsent ? { ...setting, doc: `${doc} Empty: not written.`, mayBeEmpty: true } : setting];
}

const SETTINGS: Schema<Omit<OracleConfig, 'furtherColumns' | 'fields' | 'destinationFields'>> = {
  connectString: {
    doc:
      'Where the database is: host:port/service, a name from tnsnames.ora or a whole connect descriptor. Several ' +
      'addresses are tried in their order: host1,host2:port/service.',
    kind: connectString,
    default: '',
    mayBeEmpty: true,
    example: 'db.example.com:1521/FREEPDB1',
  },
  user: {
    doc: 'Database user that owns the rows or may insert them.',
    kind: text,
    default: '',
    mayBeEmpty: true,
    example: 'BRIDGE',
  },
  password: {
    doc:
      'Password of the database user. Better given in a file that BRIDGE_ORACLE_PASSWORD_FILE names than here: a new ' +
      'one is taken over within seconds. Sessions that are open live on.',
    kind: text,
    default: '',
    mayBeEmpty: true,
    sensitive: true,
    appliedOnReload: true,
    example: 'change-me',
  },
  pool: {
    min: { doc: 'Connections that are kept open.', kind: wholeNumber, min: 0, max: 100, default: 2 },
    max: { doc: 'The most connections that are open at once.', kind: wholeNumber, min: 1, max: 100, default: 5 },
    increment: {
      doc: 'How many connections are opened at a time when more are needed.',
      kind: wholeNumber,
      min: 1,
      max: 100,
      default: 1,
    },
    queueTimeoutMs: {
      doc: 'How long a write waits for a free connection, in milliseconds.',
      kind: milliseconds,
      min: 100,
      max: 600_000,
      default: 10_000,
    },
  },
  connectTimeoutMs: {
    doc:
      'How long an address may take to let the bridge in, in milliseconds. Of several, and of the records of a name, each ' +
      'has this time; a CONNECT_TIMEOUT in oracle.connectString wins.',
    kind: milliseconds,
    min: 100,
    max: 600_000,
    default: 10_000,
  },
  callTimeoutMs: {
    doc: 'How long one call to the database may take before it counts as failed, in milliseconds.',
    kind: milliseconds,
    min: 100,
    max: 600_000,
    default: 15_000,
  },
  walletDir: {
    doc:
      "Directory with ewallet.pem and tnsnames.ora, for databases that want TLS (such as Oracle's cloud). Empty: " +
      'none.',
    kind: path,
    default: '',
    mayBeEmpty: true,
  },
  walletPassword: {
    doc: 'Password of the wallet. Empty: none.',
    kind: text,
    default: '',
    mayBeEmpty: true,
    sensitive: true,
    appliedOnReload: true,
  },
  tnsAdmin: {
    doc:
      'Directory with tnsnames.ora, when oracle.connectString is a name from there and oracle.walletDir has none. ' +
      'Empty: the one that the variable TNS_ADMIN names.',
    kind: path,
    default: '',
    mayBeEmpty: true,
  },
  table: {
    doc: 'Table that the values are written to. Without quotes its case does not matter; a schema may stand before it.',
    kind: tableName,
    default: 'TAG_DATA',
  },
  // A section with keys of its own, although its type says that it may have further ones.
  columns: Object.fromEntries(COLUMNS.map(columnSetting)) as unknown as Schema<OracleConfig>['columns'],
  valueType: {
    doc:
      'Type of the value column: binary_double is fast and holds every measured value; number holds decimal ' +
      'digits exactly.',
    kind: choice,
    choices: VALUE_TYPES,
    default: 'binary_double',
  },
  onDuplicate: {
    doc:
      'What becomes of a row whose primary or unique key the table has already: reject sets it apart in ' +
      'rejected_….csv, which waits for a person; ignore leaves the row that is there as it is; update writes the ' +
      'columns that are not in the key, and where the key has no time in it (a table of latest values) the newer ' +
      'time wins. Both need such a key.',
    kind: choice,
    choices: ON_DUPLICATE,
    default: 'reject',
  },
  destinations: {
    doc:
      'Further tables, each under a name that subscriptions send their values to: ' +
      '{ "alarms": { "table": "ALARM_LOG", "columns": { "text": "MSG" }, "onDuplicate": "ignore" } }. A subscription ' +
      'says "to": "alarms". What a destination leaves out it takes from the oracle section. A later file replaces ' +
      'all of them.',
    kind: destinations,
    default: {},
  },
  ledgerTable: {
    doc:
      'Table in which the bridge notes, in the same transaction, how far it has written: so no value is written ' +
      'twice. Empty: none, and after an interruption some values may be written twice.',
    kind: tableName,
    default: 'MQTT_BRIDGE_LEDGER',
    mayBeEmpty: true,
  },
  onMissingPartition: {
    doc:
      'What becomes of single rows for whose time the table has no partition (ORA-14400): hold keeps them in ' +
      'held_….csv, which is tried again by itself, until a DBA has added the partition; reject puts them into ' +
      'rejected_….csv, which waits for a person.',
    kind: choice,
    choices: ['hold', 'reject'],
    default: 'hold',
  },
};

const FURTHER_COLUMNS: Setting<Readonly<Record<string, string>>> = {
  doc:
    'Further columns of the table, each with what it holds. In a file they stand in oracle.columns beside the others, ' +
    `"columns": { "source": "'gateway-01'", "line": "{2}" }. ` +
    `A column holds ${FURTHER_CONTENT}, or both. Empty: not written.`,
  kind: furtherColumns,
  default: {},
  within: 'oracle.columns',
};

/** An object with names of the user's own is one setting. */
export const oracleSchema = { ...SETTINGS, furtherColumns: FURTHER_COLUMNS } as unknown as Schema<OracleConfig>;
