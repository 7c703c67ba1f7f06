/** The data dictionary: views of SYS as virtual tables, answered from the catalog. */
import type { ObjectName } from '../sql/ast.ts';
import type { Column } from '../types.ts';
import type { Values } from '../storage/row.ts';
import type { SessionContext } from './context.ts';
import { OBJECT_VIEWS } from './dictionary-objects.ts';
import { SERVER_VIEWS } from './dictionary-server.ts';
import { TABLE_VIEWS } from './dictionary-tables.ts';

export interface View {
  readonly columns: readonly Column[];
  rows(context: SessionContext): readonly Values[];
}

const VIEWS: ReadonlyMap<string, View> = new Map([...SERVER_VIEWS, ...OBJECT_VIEWS, ...TABLE_VIEWS]);

/** undefined when there is no such view. */
export function findView({ schema, name }: ObjectName): View | undefined {
  return schema === undefined || schema === 'SYS' || schema === 'PUBLIC' ? VIEWS.get(name) : undefined;
}
