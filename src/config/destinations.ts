import type { Destination } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { OracleConfig } from './config.ts';

type DestinationKeys = Pick<OracleConfig, 'table' | 'columns' | 'valueType' | 'onDuplicate' | 'destinations'>;

/** The tables that values may go to: the default first, then the others in their order, all of them complete. */
export function destinationsOf(oracle: DestinationKeys): readonly Destination[] {
  const { columns, onDuplicate, table, valueType } = oracle;
  const own: Destination = { name: DEFAULT_DESTINATION, table, columns, valueType, onDuplicate };
  const all = [own];
  for (const [name, given] of Object.entries(oracle.destinations)) {
    all.push({ ...own, ...given, name, columns: { ...columns, ...given.columns } });
  }
  return all;
}
