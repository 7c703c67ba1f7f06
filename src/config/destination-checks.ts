import { COLUMNS, tableColumns, type Destination } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import { isSameName } from '../core/identifier.ts';
import { suggestion } from '../core/suggestion.ts';
import type { CrossCheck } from './cross-check.ts';
import { destinationsOf } from './destinations.ts';
import { listOf } from './kinds/plain-kinds.ts';
import { destinationsNamedBy } from './row-targets.ts';

/*
 * What must hold between `oracle.destinations`, the table and the columns that they complete themselves from, and the
 * subscriptions. Two lanes into one table would each think the other's rows a stranger's.
 */

const DESTINATIONS = 'oracle.destinations';

export const DESTINATION_CHECKS: readonly CrossCheck[] = [
  {
    keys: [DESTINATIONS, 'oracle.table'],
    check: ({ oracle }) => {
      const all = destinationsOf(oracle);
      return firstProblem(all.slice(1), (each, i) => {
        const same = all.slice(0, i + 1).find(({ table }) => isSameName(table, each.table));
        return same && `${each.name}.table must not be the same as ${tableKey(same)}, ${JSON.stringify(same.table)}`;
      });
    },
  },
  {
    keys: [DESTINATIONS, 'oracle.ledgerTable'],
    check: ({ oracle }) =>
      firstProblem(destinationsOf(oracle).slice(1), ({ name, table }) =>
        isSameName(table, oracle.ledgerTable) ? `${name}.table must not be the same as oracle.ledgerTable` : undefined,
      ),
  },
  {
    keys: [DESTINATIONS, ...COLUMNS.map(({ key }) => `oracle.columns.${key}`)],
    check: ({ oracle }) => firstProblem(destinationsOf(oracle).slice(1), columnProblem),
  },
  {
    keys: ['mqtt.subscriptions', DESTINATIONS],
    check: ({ mqtt, oracle }) => {
      const names = [DEFAULT_DESTINATION, ...Object.keys(oracle.destinations)];
      return firstProblem(mqtt.subscriptions, (subscription, i) => {
        const named = [subscription.to ?? DEFAULT_DESTINATION, ...destinationsNamedBy(subscription)];
        const wrong = named.find((each) => !names.includes(each));
        if (wrong === undefined) return undefined;
        const where = wrong === subscription.to ? '.to' : ' has a row whose "to"';
        const known = names.length === 1 ? '"default", as oracle.destinations has no other' : listOf(names);
        return `[${i}]${where} must be ${known}, not ${JSON.stringify(wrong)}${suggestion(wrong, names)}`;
      });
    },
  },
];

function columnProblem(destination: Destination): string | undefined {
  const used = tableColumns({ ...destination, fields: [] });
  return firstProblem(used, ({ key, name: column }, i) => {
    const same = used.slice(0, i).find((earlier) => isSameName(earlier.name, column));
    if (same === undefined) return undefined;
    const { name } = destination;
    const why = `${same.key}, ${JSON.stringify(column)}; what is left out is as in oracle.columns`;
    return `${name}.columns.${key} must not be the same column as its ${why}`;
  });
}

function tableKey({ name }: Destination): string {
  return name === DEFAULT_DESTINATION ? 'oracle.table' : `${DESTINATIONS}.${name}.table`;
}

function firstProblem<T>(items: readonly T[], find: (item: T, i: number) => string | undefined): string | undefined {
  for (const [i, item] of items.entries()) {
    const problem = find(item, i);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
