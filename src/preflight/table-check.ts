import { tableColumns } from '../core/columns.ts';
import { parseName, quoteName, storedName } from '../core/identifier.ts';
import { plural, sizeText } from '../core/wording.ts';
import type { ColumnFacts, Dictionary, FoundTable, ServerFacts, TableName } from '../oracle/dictionary.ts';
import type { TableOptions } from '../oracle/statements.ts';
import { contentOf, typeProblem, typeRemark, typeText, type Content } from './column-rules.ts';
import { failed, ok, unknown, warning, type Finding } from './finding.ts';

/** What the checks of one table have to know. */
export interface TableContext {
  readonly dictionary: Pick<Dictionary, keyof Dictionary>;
  readonly server: ServerFacts;
}

export function quoted({ owner, name }: TableName): string {
  return `"${owner}"."${name}"`;
}

/**
 * Where the configured name leads, and the table when it is one that can be looked into. `rights`: what to grant on one
 * of another's that can't be seen.
 */
export async function locate(
  key: string,
  text: string,
  { dictionary, server }: TableContext,
  rights = 'INSERT',
): Promise<{
  readonly finding: Finding;
  readonly table: TableName | undefined;
  readonly found?: Extract<FoundTable, { state: 'found' }>;
}> {
  const found = await dictionary.find(text, server.schema);
  if (found.state === 'found') return { finding: located(key, found, server), table: found.table, found };
  if (found.state === 'remote') {
    const says = `synonym ${found.synonym} leads over the database link ${found.link}: nothing more can be checked from here`;
    return { finding: unknown(key, says, 'check the table in its own database'), table: undefined };
  }
  return { finding: notFound(key, text, found, server, rights), table: undefined };
}

function located(key: string, found: Extract<FoundTable, { state: 'found' }>, server: ServerFacts): Finding {
  const { table, type, synonyms } = found;
  const way = synonyms.length === 0 ? '' : `, through synonym ${synonyms.join(' and ')}`;
  const whose = table.owner === server.user ? 'own schema' : `schema of ${table.owner}`;
  return ok(key, `${quoted(table)}, a ${type.toLowerCase()} in the ${whose}${way}`);
}

function notFound(
  key: string,
  text: string,
  { elsewhere, synonyms }: Extract<FoundTable, { state: 'absent' }>,
  { schema, user }: ServerFacts,
  rights: string,
): Finding {
  const parts = parseName(text, 2) ?? [];
  const owner = parts.length === 2 ? parts[0]! : schema;
  const missing = quoted({ owner, name: parts.at(-1) ?? '' });
  // An owner needs no grant on what is his own, and would see it.
  const grants = owner === user ? [] : [`if it is there: GRANT ${rights} ON ${missing} TO "${user}";`];
  const way =
    synonyms.length === 0 ? '' : `, where synonym ${synonyms.join(' and ')} leads to nothing that ${user} may see`;
  return failed(
    key,
    `there is no ${missing} that ${user} may see${way}`,
    ...elsewhere.map((other) => `${key} may have been meant to be ${quoted(other)}`),
    ...grants,
    `${grants.length === 0 ? '' : 'if it is not: '}\`mqtt-oracle-bridge schema\` prints its DDL for the DBA`,
  );
}

/** Each configured column: there, of a good type, NULL where the bridge has nothing to write. */
export function checkColumns(options: TableOptions, table: TableName, columns: readonly ColumnFacts[]): Finding[] {
  return tableColumns(options).map((written): Finding => {
    const { emptyFor, further, key, name, path, type: proposedType } = written;
    const stored = storedName(name);
    const subject = further === undefined ? `column ${stored} (${key})` : `column ${stored}`;
    const column = findColumn(columns, name);
    if (column === undefined) return missingColumn(subject, path, name, proposedType, table, columns);
    const finding = checkColumn(subject, column, contentOf(written, options.valueType), proposedType, table);
    if (finding.verdict === 'failed' || column.nullable || emptyFor === undefined) return finding;
    const report = emptyFor.isFatal ? failed : warning;
    const text = `${typeText(column)} NOT NULL: rejects all ${emptyFor.text}`;
    return report(subject, text, `ALTER TABLE ${quoted(table)} MODIFY ("${column.name}" NULL);`);
  });
}

export function findColumn(columns: readonly ColumnFacts[], name: string): ColumnFacts | undefined {
  const stored = storedName(name);
  return columns.find((column) => column.name === stored);
}

/** `key` is where the configuration names it; empty for the ledger, whose names are fixed. */
export function missingColumn(
  subject: string,
  key: string,
  name: string,
  proposedType: string,
  table: TableName,
  columns: readonly ColumnFacts[],
): Finding {
  const otherCase = columns.find((column) => column.name.toUpperCase() === storedName(name).toUpperCase());
  const names = columns.map((column) => column.name).join(', ');
  const nullable = proposedType.replace(' NOT NULL', '');
  const remedies =
    otherCase !== undefined && key !== ''
      ? [`${key}: it is written "${otherCase.name}" there, so put double quotes around it`]
      : [
          ...(key === '' ? [] : [`correct ${key}: the table has ${names}`]),
          `ALTER TABLE ${quoted(table)} ADD (${quoteName(name)} ${nullable});`,
        ];
  return failed(subject, `${quoted(table)} has no such column`, ...remedies);
}

/** Of the column for texts, which may be long. */
const TEXT_TYPE = 'VARCHAR2(4000)';

/** The type and length of a column that is there. */
export function checkColumn(
  subject: string,
  column: ColumnFacts,
  content: Content,
  proposedType: string,
  table: TableName,
): Finding {
  const shown = `${typeText(column)}${column.nullable ? '' : ' NOT NULL'}`;
  const problem = typeProblem(column, content);
  const modify = (type: string): string => `ALTER TABLE ${quoted(table)} MODIFY ("${column.name}" ${type});`;
  if (problem !== undefined) {
    const proposed = proposedType.replace(' NOT NULL', '');
    const remedy = problem.isFatal
      ? `name another column, or make it ${proposed}`
      : `better: ${problem.wants ?? proposed}`;
    return (problem.isFatal ? failed : warning)(subject, `${shown}: ${problem.text}`, remedy);
  }
  if (column.type.endsWith('CLOB') && proposedType !== TEXT_TYPE) {
    const better = proposedType.replace(' NOT NULL', '');
    return warning(subject, `${shown}: a LOB has no index and is compared with nothing`, `better: ${better}`);
  }
  const proposedLength = Number(/^VARCHAR2\((\d+)/.exec(proposedType)?.[1] ?? 0);
  if (column.length > 0 && column.length < proposedLength) {
    const text = `${shown} is shorter than the ${proposedLength} of the proposed DDL; longer texts are rejected`;
    return warning(subject, text, `if there may be longer ones: ${modify(proposedType.replace(' NOT NULL', ''))}`);
  }
  return ok(subject, shown + typeRemark(column, content));
}

/** Columns that the bridge does not write: NOT NULL without a default refuses each row. */
export async function checkOtherColumns(
  table: TableName,
  columns: readonly ColumnFacts[],
  written: readonly string[],
  { dictionary }: TableContext,
): Promise<Finding[]> {
  const names = new Set(written.map(storedName));
  const others = columns.filter((column) => !names.has(column.name));
  const refusing = others.filter((column) => !column.nullable && !column.hasDefault);
  if (refusing.length === 0) {
    const text =
      others.length === 0 ? 'none' : `${plural(others.length, 'column')} that may stay empty or have a default`;
    return [ok('other columns', text)];
  }
  const triggers = await dictionary.insertTriggers(table);
  return refusing.map(({ name }) => {
    const subject = `column ${name}`;
    const text = 'NOT NULL and without a default, and the bridge writes nothing to it';
    const remedies = [
      `ALTER TABLE ${quoted(table)} MODIFY ("${name}" DEFAULT …); or MODIFY ("${name}" NULL);`,
      'or name it in oracle.columns',
    ];
    if (triggers.length > 0)
      return warning(subject, `${text}; trigger ${triggers.join(', ')} may fill it`, ...remedies);
    return failed(subject, `${text}: each row is refused (ORA-01400)`, ...remedies);
  });
}

/** Whether the session's user has room in the table's tablespace. */
export async function checkQuota(table: TableName, { dictionary, server }: TableContext): Promise<Finding> {
  const subject = `space for ${table.name}`;
  const tablespace = await dictionary.tablespaceOf(table);
  if (tablespace === undefined) {
    return unknown(
      subject,
      'the dictionary names no one tablespace for it',
      `the DBA must see that ${table.owner} has room`,
    );
  }
  if (table.owner !== server.user) {
    const text = `the quota of ${table.owner} on ${tablespace} counts, which ${server.user} may not see`;
    return unknown(
      subject,
      text,
      `the DBA must see that ${table.owner} has one: ${quotaStatement(table.owner, tablespace)}`,
    );
  }
  if (await dictionary.hasSystemPrivilege('UNLIMITED TABLESPACE'))
    return ok(subject, `UNLIMITED TABLESPACE, in ${tablespace}`);
  const quota = await dictionary.quota(tablespace);
  const remedy = quotaStatement(server.user, tablespace);
  if (quota === undefined) return failed(subject, `no quota on ${tablespace} (ORA-01950)`, remedy);
  if (quota.maxBytes === undefined) return ok(subject, `unlimited quota on ${tablespace}`);
  const freeBytes = quota.maxBytes - quota.usedBytes;
  const text = `${sizeText(Math.max(0, freeBytes))} of the quota of ${sizeText(quota.maxBytes)} on ${tablespace} are left`;
  if (freeBytes <= 0) return failed(subject, `${text} (ORA-01536)`, remedy);
  return freeBytes < LITTLE_BYTES ? warning(subject, text, remedy) : ok(subject, text);
}

const LITTLE_BYTES = 256 * 2 ** 20;

function quotaStatement(user: string, tablespace: string): string {
  return `ALTER USER "${user}" QUOTA UNLIMITED ON "${tablespace}";`;
}
