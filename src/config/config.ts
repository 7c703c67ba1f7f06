import type { ColumnNames, FieldColumn, OnDuplicate, ValueType } from '../core/columns.ts';
import type { LogLevel } from '../core/log-level.ts';
import type { FilterOptions, TimeOptions } from '../payload/filter/filter-options.ts';
import type { FormatName } from '../payload/formats.ts';
import type { ValueMeanings } from '../payload/value-meanings.ts';

/**
 * The configuration, nested as in the file, checked and complete. Frozen all the way down.
 * What a key means stands in one place, the `doc` of its schema (schema/), from which config/REFERENCE.md is
 * generated.
 */
export interface Config {
  readonly bridge: BridgeConfig;
  readonly mqtt: MqttConfig;
  readonly tagName: string;
  readonly buffer: { readonly capacity: number; readonly onFull: 'wait' | 'dropOldest' };
  readonly writer: WriterConfig;
  readonly oracle: OracleConfig;
  readonly journal: JournalConfig;
  readonly backup: BackupConfig;
  readonly notices: NoticesConfig;
  readonly http: HttpConfig;
  readonly control: ControlConfig;
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'text'; readonly file: string };
}

export interface BridgeConfig {
  readonly id: string;
  readonly drainTimeoutMs: number;
}

export interface MqttConfig {
  /** A list names the brokers of one cluster; it has one at least. */
  readonly url: string | readonly string[];
  /** Never empty: the bridge's id where the file says nothing. */
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly protocolVersion: 4 | 5;
  readonly keepaliveSeconds: number;
  readonly sessionExpirySeconds: number;
  readonly receiveMaximum: number;
  readonly tls: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly rejectUnauthorized: boolean;
  };
  readonly subscriptions: readonly Subscription[];
}

/** For what looks at one broker of the list. */
export type OneBrokerConfig = Config & { readonly mqtt: { readonly url: string } };

/** Beside these keys it has those that its format has for itself. The loader completes all of them. */
export interface Subscription extends ValueMeanings, FilterOptions, TimeOptions {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly format: FormatName;
  /** Templates of text and `{n}`, the n-th level of the topic; empty where the payload names it. */
  readonly plcCode: string;
  readonly tagAddress: string;
  /** What becomes of messages that the broker had kept: `write` (once), `skip`. */
  readonly retained?: 'write' | 'skip';
  /** The destination of its values; absent: the default. */
  readonly to?: string;
}

export interface WriterConfig {
  readonly batchSize: number;
  readonly maxBatchSize: number;
  readonly intervalMs: number;
  readonly retry: { readonly attempts: number; readonly initialDelayMs: number; readonly factor: number };
}

export interface OracleConfig {
  readonly connectString: string;
  readonly user: string;
  readonly password: string;
  readonly pool: {
    readonly min: number;
    readonly max: number;
    readonly increment: number;
    readonly queueTimeoutMs: number;
  };
  readonly connectTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly walletDir: string;
  readonly walletPassword: string;
  /** Where the file says nothing: the variable TNS_ADMIN of Oracle's own programs. */
  readonly tnsAdmin: string;
  readonly table: string;
  /** With the further ones. */
  readonly columns: ColumnNames;
  /** What each further column holds, by its name, as it was given. */
  readonly furtherColumns?: Readonly<Record<string, string>>;
  /** The columns that the mappings of the subscriptions fill in `table`. */
  readonly fields?: readonly FieldColumn[];
  /** The same in the tables of other destinations, by their names. */
  readonly destinationFields?: Readonly<Record<string, readonly FieldColumn[]>>;
  readonly valueType: ValueType;
  readonly onDuplicate: OnDuplicate;
  /** By their names; `destinationsOf` completes them. */
  readonly destinations: Readonly<Record<string, DestinationConfig>>;
  readonly ledgerTable: string;
  readonly onMissingPartition: 'hold' | 'reject';
}

/** A further table as it was written: what it leaves out it takes from `oracle`, of the columns each by itself. */
export interface DestinationConfig {
  readonly table: string;
  readonly columns?: Partial<ColumnNames>;
  readonly valueType?: ValueType;
  readonly onDuplicate?: OnDuplicate;
}

export interface JournalConfig {
  readonly dir: string;
  readonly maxBytes: number;
  readonly segmentBytes: number;
  readonly sync: 'always' | 'interval' | 'never';
}

export interface BackupConfig {
  readonly dir: string;
  readonly maxRowsPerFile: number;
  readonly replay: boolean;
  readonly probeIntervalMs: number;
}

export interface NoticesConfig {
  readonly enabled: boolean;
  readonly baseTopic: string;
  readonly inlineCsvMaxBytes: number;
}

export interface HttpConfig {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/** The local socket by which commands on the gateway ask the running bridge. */
export interface ControlConfig {
  readonly enabled: boolean;
  /** Empty: `control.sock` in the journal's directory. */
  readonly socket: string;
  readonly access: 'owner' | 'group';
}
