import type oracledb from 'oracledb';

import { parseName } from '../core/identifier.ts';
import type { ConnectionLender } from './lease.ts';
import { toDatabaseError } from './ora-errors.ts';

/** A table or view, by the names that the dictionary has for it. */
export interface TableName {
  readonly owner: string;
  readonly name: string;
}

export type FoundTable =
  | { readonly state: 'found'; readonly table: TableName; readonly type: string; readonly synonyms: readonly string[] }
  | { readonly state: 'remote'; readonly synonym: string; readonly link: string }
  | { readonly state: 'absent'; readonly synonyms: readonly string[]; readonly elsewhere: readonly TableName[] };

export interface ColumnFacts {
  readonly name: string;
  /** `VARCHAR2`, `TIMESTAMP(6) WITH TIME ZONE` … */
  readonly type: string;
  readonly bytes: number;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly nullable: boolean;
  /** A default, an identity or a virtual column. */
  readonly hasDefault: boolean;
  /** Declared length of a text; 0 for others. */
  readonly length: number;
  readonly inCharacters: boolean;
}

/** What forbids a second row with the same values. */
export interface UniqueKey {
  readonly name: string;
  readonly kind: 'primary key' | 'unique constraint' | 'unique index';
  readonly columns: readonly string[];
}

const MAX_SYNONYMS_IN_A_ROW = 5;
const MAX_SUGGESTED_TABLES = 5;
/** The type that matters comes first: a materialized view is a table of that name, too. */
const FOUND_ORDER = 'ORDER BY object_type';
const FOUND_TYPES = `('TABLE', 'VIEW', 'MATERIALIZED VIEW')`;
/** The condition of a view of the dictionary on the two names of a table. */
export const OF_TABLE = 'owner = :1 AND table_name = :2';

/**
 * What the data dictionary tells the bridge's own user about a table. Reads the views that everyone may read [Oracle
 * Database Reference, "Static Data Dictionary Views"].
 *
 * Each method throws DatabaseError.
 */
export class TableDictionary {
  protected readonly connections: ConnectionLender;

  constructor(connections: ConnectionLender) {
    this.connections = connections;
  }

  /** The schema in which names without one are looked up. */
  async currentSchema(): Promise<string> {
    const [row] = await this.rows<[string]>(`SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM dual`);
    return row?.[0] ?? '';
  }

  /** Resolves a name of the configuration as the database does: own schema, private synonym, PUBLIC synonym. */
  async find(text: string, currentSchema: string): Promise<FoundTable> {
    const parts = parseName(text, 2) ?? [];
    let [owner, name] = parts.length === 2 ? [parts[0]!, parts[1]!] : [currentSchema, parts[0] ?? ''];
    let mayBePublic = parts.length === 1;
    const synonyms: string[] = [];
    while (synonyms.length < MAX_SYNONYMS_IN_A_ROW) {
      const types = await this.rows<[string]>(
        `SELECT object_type FROM all_objects WHERE owner = :1 AND object_name = :2 AND object_type IN ${FOUND_TYPES} ${FOUND_ORDER}`,
        [owner, name],
      );
      if (types.length > 0) return { state: 'found', table: { owner, name }, type: types[0]![0], synonyms };
      const synonym =
        (await this.#synonym(owner, name)) ?? (mayBePublic ? await this.#synonym('PUBLIC', name) : undefined);
      if (synonym === undefined) break;
      synonyms.push(`${synonym.owner}.${name}`);
      if (synonym.link !== null) return { state: 'remote', synonym: synonyms.at(-1)!, link: synonym.link };
      [owner, name] = [synonym.tableOwner ?? '', synonym.tableName];
      mayBePublic = false;
    }
    return { state: 'absent', synonyms, elsewhere: await this.#elsewhere(name) };
  }

  async #synonym(
    owner: string,
    name: string,
  ): Promise<{ owner: string; tableOwner: string | null; tableName: string; link: string | null } | undefined> {
    const [row] = await this.rows<[string | null, string, string | null]>(
      'SELECT table_owner, table_name, db_link FROM all_synonyms WHERE owner = :1 AND synonym_name = :2',
      [owner, name],
    );
    return row === undefined ? undefined : { owner, tableOwner: row[0], tableName: row[1], link: row[2] };
  }

  /** Tables that may have been meant: in other schemas, or with letters of another case. */
  async #elsewhere(name: string): Promise<TableName[]> {
    const rows = await this.rows<[string, string]>(
      `SELECT owner, object_name FROM all_objects WHERE object_name IN (:1, :2, :3) AND object_type IN ('TABLE', 'VIEW')`,
      [name, name.toUpperCase(), name.toLowerCase()],
    );
    return rows.slice(0, MAX_SUGGESTED_TABLES).map(([owner, found]) => ({ owner, name: found }));
  }

  async columns({ owner, name }: TableName): Promise<ColumnFacts[]> {
    type Row = [string, string, number, number | null, number | null, string, number | null, number, string | null];
    const rows = await this.rows<Row>(
      'SELECT column_name, data_type, data_length, data_precision, data_scale, nullable, default_length, char_length, ' +
        `char_used FROM all_tab_columns WHERE ${OF_TABLE} ORDER BY column_id`,
      [owner, name],
    );
    return rows.map(([column, type, bytes, precision, scale, nullable, defaultLength, length, used]) => ({
      name: column,
      type,
      bytes,
      precision,
      scale,
      nullable: nullable === 'Y',
      hasDefault: (defaultLength ?? 0) > 0,
      length: length ?? 0,
      inCharacters: used === 'C',
    }));
  }

  /** Of constraints that are enabled, and of indexes that no constraint has. */
  async uniqueKeys({ owner, name }: TableName): Promise<UniqueKey[]> {
    const place = [owner, name];
    const constraints = await this.rows<[string, string, string | null]>(
      `SELECT constraint_name, constraint_type, index_name FROM all_constraints WHERE ${OF_TABLE} ` +
        `AND constraint_type IN ('P', 'U') AND status = 'ENABLED'`,
      place,
    );
    const constraintColumns = await this.rows<[string, string]>(
      `SELECT constraint_name, column_name FROM all_cons_columns WHERE ${OF_TABLE} ORDER BY constraint_name, position`,
      place,
    );
    const indexes = await this.rows<[string]>(
      `SELECT index_name FROM all_indexes WHERE table_owner = :1 AND table_name = :2 AND uniqueness = 'UNIQUE'`,
      place,
    );
    const indexColumns = await this.rows<[string, string]>(
      'SELECT index_name, column_name FROM all_ind_columns WHERE table_owner = :1 AND table_name = :2 ' +
        'ORDER BY index_name, column_position',
      place,
    );
    const columnsOf = (rows: readonly [string, string][], key: string): string[] =>
      rows.filter(([of]) => of === key).map(([, column]) => column);
    const served = new Set(constraints.map(([, , index]) => index));
    return [
      ...constraints.map(([key, type]): UniqueKey => {
        const kind = type === 'P' ? 'primary key' : 'unique constraint';
        return { name: key, kind, columns: columnsOf(constraintColumns, key) };
      }),
      ...indexes
        .filter(([index]) => !served.has(index))
        .map(([index]): UniqueKey => ({ name: index, kind: 'unique index', columns: columnsOf(indexColumns, index) })),
    ].filter(({ columns }) => columns.length > 0); // the index of a LOB has none
  }

  protected async rows<T>(sql: string, binds: readonly string[] = []): Promise<T[]> {
    return this.connections.use('dictionary', async ({ connection }) => {
      try {
        return (await connection.execute<T>(sql, [...binds] satisfies oracledb.BindParameters)).rows ?? [];
      } catch (thrown) {
        throw toDatabaseError(thrown, false);
      }
    });
  }
}
