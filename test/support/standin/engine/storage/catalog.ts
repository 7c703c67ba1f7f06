import { SqlFault } from '../faults.ts';
import type { ObjectName } from '../sql/ast.ts';
import type { Table } from './table.ts';

export type TablePrivilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

const ADMINISTRATORS = new Set(['SYS', 'SYSTEM']);
const FIRST_CONSTRAINT_NUMBER = 8301;

/** Owner of the synonyms that everyone sees. */
export const PUBLIC = 'PUBLIC';
const MAX_SYNONYMS_IN_A_ROW = 20;

export interface Synonym {
  readonly owner: string;
  readonly name: string;
  readonly target: ObjectName & { readonly schema: string };
}

/** All tables of the database, and who may do what with them. */
export class Catalog {
  /** Changes with each DDL: compiled statements of an older version are compiled anew. */
  version = 0;
  readonly users = new Set<string>();
  readonly #schemas = new Map<string, Map<string, Table>>();
  #synonyms: Synonym[] = [];
  #constraintNumber = FIRST_CONSTRAINT_NUMBER;

  static isAdministrator(user: string): boolean {
    return ADMINISTRATORS.has(user);
  }

  nextConstraintName(): string {
    return `SYS_C${String(this.#constraintNumber++).padStart(6, '0')}`;
  }

  get tables(): Table[] {
    return [...this.#schemas.keys()].flatMap((schema) => this.tablesOf(schema));
  }

  tablesOf(schema: string): Table[] {
    return [...(this.#schemas.get(schema)?.values() ?? [])];
  }

  find(schema: string, name: string): Table | undefined {
    return this.#schemas.get(schema)?.get(name);
  }

  /** Those that `user` owns or has any privilege on. */
  visibleTo(user: string): Table[] {
    return this.tables.filter((table) => this.#privileges(table, user) !== undefined);
  }

  add(table: Table): void {
    const tables = this.#schemas.get(table.schema) ?? new Map<string, Table>();
    tables.set(table.name, table);
    this.#schemas.set(table.schema, tables);
    this.version++;
  }

  remove(table: Table): void {
    this.#schemas.get(table.schema)?.delete(table.name);
    this.version++;
  }

  get synonyms(): readonly Synonym[] {
    return this.#synonyms;
  }

  findSynonym(owner: string, name: string): Synonym | undefined {
    return this.#synonyms.find((synonym) => synonym.owner === owner && synonym.name === name);
  }

  /** Replaces one of the same owner and name. */
  addSynonym(synonym: Synonym): void {
    const others = this.#synonyms.filter(({ owner, name }) => owner !== synonym.owner || name !== synonym.name);
    this.#synonyms = [...others, synonym];
    this.version++;
  }

  removeSynonym(synonym: Synonym): void {
    this.#synonyms = this.#synonyms.filter((other) => other !== synonym);
    this.version++;
  }

  /** The table that a name stands for: its own, or through synonyms. ORA-01775 when these lead in a circle. */
  #target(name: ObjectName, user: string): { readonly schema: string; readonly name: string } {
    let place = { schema: name.schema ?? user, name: name.name };
    let isQualified = name.schema !== undefined;
    for (let step = 0; step < MAX_SYNONYMS_IN_A_ROW; step++) {
      if (this.find(place.schema, place.name) !== undefined) return place;
      const own = this.findSynonym(place.schema, place.name);
      const synonym = own ?? (isQualified ? undefined : this.findSynonym(PUBLIC, place.name));
      if (synonym === undefined) return place;
      place = synonym.target;
      isQualified = true;
    }
    throw new SqlFault(1775, {}, name.position);
  }

  /** ORA-00942 for a table that `user` may not know of, ORA-01031 for one on which the privilege is missing. */
  resolve(name: ObjectName, user: string, privilege: TablePrivilege): Table {
    const target = this.#target(name, user);
    const table = this.find(target.schema, target.name);
    const privileges = table === undefined ? undefined : this.#privileges(table, user);
    if (table === undefined || privileges === undefined) {
      throw new SqlFault(942, { name: `"${target.schema}"."${target.name}"` }, name.position);
    }
    if (privileges !== 'all' && !privileges.has(privilege)) throw new SqlFault(1031, {}, name.position);
    return table;
  }

  #privileges(table: Table, user: string): 'all' | ReadonlySet<string> | undefined {
    if (table.schema === user || Catalog.isAdministrator(user)) return 'all';
    const granted = new Set([...(table.grants.get(user) ?? []), ...(table.grants.get('PUBLIC') ?? [])]);
    return granted.size === 0 ? undefined : granted;
  }
}
