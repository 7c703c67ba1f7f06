import type { ColumnNames, Destination, FieldColumn } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { OracleConfig } from './config.ts';

/** What says which tables there are, and what is written to them. */
export type DestinationKeys = Pick<
  OracleConfig,
  'table' | 'columns' | 'valueType' | 'onDuplicate' | 'destinations' | 'fields' | 'destinationFields'
>;

/** The tables that values may go to: the default first, then the others in their order, all of them complete. */
export function destinationsOf(oracle: DestinationKeys): readonly Destination[] {
  const { columns, destinationFields = {}, fields, onDuplicate, table, valueType } = oracle;
  const own: Destination = { name: DEFAULT_DESTINATION, table, columns, valueType, onDuplicate };
  const all = [withFields(own, fields)];
  const others = new Map(Object.entries(destinationFields));
  for (const [name, given] of Object.entries(oracle.destinations)) {
    const completed = { ...own, ...given, name, columns: { ...columns, ...given.columns } as ColumnNames };
    all.push(withFields(completed, others.get(name)));
  }
  return all;
}

function withFields(destination: Destination, fields: readonly FieldColumn[] = []): Destination {
  return fields.length === 0 ? destination : { ...destination, fields };
}
