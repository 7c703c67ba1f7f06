import { COLUMNS, isColumnKey, tableColumns } from '../core/columns.ts';
import { isSameName } from '../core/identifier.ts';
import type { CrossCheck } from './cross-check.ts';

/* No two columns of oracle.columns may be the same: the database refuses a statement that names one twice. */

/** The paths of the columns that every table may have. */
export const COLUMN_KEYS = COLUMNS.map(({ key }) => `oracle.columns.${key}`);

/** Each column against those before it, so that of two that are the same one is named. */
const KNOWN_CHECKS = COLUMNS.map(({ key }, index): CrossCheck => {
  const earlier = COLUMNS.slice(0, index).map((column) => column.key);
  return {
    keys: [`oracle.columns.${key}`, ...earlier.map((other) => `oracle.columns.${other}`)],
    check: ({ oracle: { columns } }) => {
      const same = earlier.find((other) => isSameName(columns[other], columns[key]));
      return same === undefined ? undefined : `must not be the same column as oracle.columns.${same}`;
    },
  };
});

/** Each further column against those before it. */
const FURTHER_COLUMN_CHECK: CrossCheck = {
  keys: ['oracle.furtherColumns', ...COLUMN_KEYS],
  check: ({ oracle }) => {
    const used = tableColumns({ ...oracle, fields: [] });
    const twice = used.find(
      ({ key, name }, i) => !isColumnKey(key) && used.slice(0, i).some((other) => isSameName(other.name, name)),
    );
    return twice && `must not have the column ${twice.name}, which oracle.columns has already`;
  },
};

export const COLUMN_CHECKS: readonly CrossCheck[] = [...KNOWN_CHECKS, FURTHER_COLUMN_CHECK];
