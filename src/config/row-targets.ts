import type { FieldColumn } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { RowTarget } from '../payload/format.ts';
import { formatNamed } from '../payload/formats.ts';
import type { Subscription } from './config.ts';

/** Where the rows of a subscription go, and what they fill there; at least one. */
function targetsOf(subscription: Subscription): readonly RowTarget[] {
  return formatNamed(subscription.format).targets?.(subscription) ?? [{ to: undefined, columns: [] }];
}

/** The names of the destinations that a subscription has rows for, each once. */
export function destinationsNamedBy(subscription: Subscription): readonly string[] {
  return [...new Set(placedTargets(subscription).map(({ destination }) => destination))];
}

/** The same subscriptions, with all of their rows for the default destination. */
export function toDefault(subscriptions: readonly Subscription[]): readonly Subscription[] {
  const to = DEFAULT_DESTINATION;
  return subscriptions.map((subscription) => ({
    ...(formatNamed(subscription.format).retarget?.(subscription, to) ?? subscription),
    to,
  }));
}

/** The columns that the mappings of these subscriptions fill, each once, by the destination. */
export function fieldsByDestination(
  subscriptions: readonly Subscription[],
): ReadonlyMap<string, readonly FieldColumn[]> {
  const found = new Map<string, FieldColumn[]>();
  for (const { columns, destination } of subscriptions.flatMap(placedTargets)) {
    const known = found.get(destination) ?? [];
    known.push(...columns.filter(({ name }) => known.every((column) => column.name !== name)));
    if (known.length > 0) found.set(destination, known);
  }
  return found;
}

/** Columns that two mappings fill with different kinds of values: one statement has one type for each. */
export function contradictingFields(subscriptions: readonly Subscription[]): readonly string[] {
  const first = fieldsByDestination(subscriptions);
  const contradicts = (destination: string, { holds, name }: FieldColumn): boolean =>
    first.get(destination)?.some((column) => column.name === name && column.holds !== holds) === true;
  return subscriptions
    .flatMap(placedTargets)
    .flatMap(({ columns, destination }) =>
      columns.filter((column) => contradicts(destination, column)).map(({ name }) => name),
    );
}

function placedTargets(
  subscription: Subscription,
): { readonly destination: string; readonly columns: readonly FieldColumn[] }[] {
  return targetsOf(subscription).map(({ columns, to }) => ({
    columns,
    destination: to ?? subscription.to ?? DEFAULT_DESTINATION,
  }));
}
