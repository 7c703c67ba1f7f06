import type { Destination } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { OracleConfig } from './config.ts';

/** What says which tables there are, and what is written to them. */
export type DestinationKeys = Pick<
  OracleConfig,
  'table' | 'columns' | 'valueType' | 'onDuplicate' | 'destinations' | 'fields' | 'destinationFields'
>;

/** The tables that values may go to: the default first, then the others in their order, all of them complete. */
export function destinationsOf(oracle: DestinationKeys): readonly Destination[] {
  const { columns, destinationFields = {}, fields = [], onDuplicate, table, valueType } = oracle;
  const own: Destination = { name: DEFAULT_DESTINATION, table, columns, valueType, onDuplicate, fields };
  const all = [own];
  for (const [name, given] of Object.entries(oracle.destinations)) {
    const filled = Object.hasOwn(destinationFields, name) ? destinationFields[name]! : [];
    all.push({ ...own, ...given, name, columns: { ...columns, ...given.columns }, fields: filled });
  }
  return all;
}
