/** Views of what has a name: objects, synonyms, and triggers, of which there are none. */
import type { Synonym } from '../storage/catalog.ts';
import { Catalog, PUBLIC } from '../storage/catalog.ts';
import type { Values } from '../storage/row.ts';
import type { Table } from '../storage/table.ts';
import type { Column } from '../types.ts';
import type { SessionContext } from './context.ts';
import { viewColumns } from './dictionary-columns.ts';

interface ObjectView {
  readonly columns: readonly Column[];
  rows(context: SessionContext): readonly Values[];
}

function objectsOf({ schema, name, indexes }: Table): Values[] {
  const indexRows = indexes.map((index) => [schema, index.name, 'INDEX', 'VALID', 'N']);
  return [[schema, name, 'TABLE', 'VALID', 'N'], ...indexRows];
}

/** One's own, PUBLIC's, and those of others whose table one may know of. */
function visibleSynonyms({ catalog, user }: SessionContext): Synonym[] {
  const visible = new Set(catalog.visibleTo(user));
  return catalog.synonyms.filter(({ owner, target }) => {
    const table = catalog.find(target.schema, target.name);
    const isOwn = owner === user || owner === PUBLIC || Catalog.isAdministrator(user);
    return isOwn || (table !== undefined && visible.has(table));
  });
}

const synonymObject = ({ owner, name }: Synonym): Values => [owner, name, 'SYNONYM', 'VALID', 'N'];

const synonymRow = ({ owner, name, target }: Synonym): Values => [owner, name, target.schema, target.name, null];

const ALL: Readonly<Record<string, ObjectView>> = {
  OBJECTS: {
    columns: viewColumns('OWNER', 'OBJECT_NAME', 'OBJECT_TYPE:23', 'STATUS:7', 'TEMPORARY:1'),
    rows: (context) => [
      ...context.catalog.visibleTo(context.user).flatMap(objectsOf),
      ...visibleSynonyms(context).map(synonymObject),
    ],
  },
  SYNONYMS: {
    columns: viewColumns('OWNER', 'SYNONYM_NAME', 'TABLE_OWNER', 'TABLE_NAME', 'DB_LINK'),
    rows: (context) => visibleSynonyms(context).map(synonymRow),
  },
  TRIGGERS: {
    columns: viewColumns(
      'OWNER',
      'TRIGGER_NAME',
      'TRIGGER_TYPE:16',
      'TRIGGERING_EVENT:246',
      'TABLE_OWNER',
      'BASE_OBJECT_TYPE:18',
      'TABLE_NAME',
      'STATUS:8',
    ),
    rows: () => [],
  },
  PART_TABLES: {
    columns: viewColumns('OWNER', 'TABLE_NAME', 'PARTITIONING_TYPE:9', 'INTERVAL:1000'),
    rows: () => [],
  },
};

/** The ALL_ view without its OWNER, of the user's own. */
function ownView(all: ObjectView): ObjectView {
  return {
    columns: all.columns.slice(1),
    rows: (context) =>
      all
        .rows(context)
        .filter(([owner]) => owner === context.user)
        .map((row) => row.slice(1)),
  };
}

export const OBJECT_VIEWS: readonly (readonly [name: string, view: ObjectView])[] = Object.entries(ALL).flatMap(
  ([name, view]): [string, ObjectView][] => [
    [`ALL_${name}`, view],
    [`USER_${name}`, ownView(view)],
  ],
);
