import type { Message } from '../../src/core/message.ts';
import type { TagValues } from '../../src/core/tag-values.ts';
import { identitiesOf } from './sim-statements.ts';
import { tableOf } from './sim-config.ts';

/**
 * Sees whom values are for each time that they are read, and to which tables their rows are sent. A value is for the
 * same destination whenever its message is read again, whatever the configuration has become; and no row is sent to
 * the table of another one, unless a person has sent its file there.
 */
export class RoutingWitness {
  readonly #problems: string[] = [];
  readonly #byPlace = new Map<string, string>();
  readonly #tables = new Map<string, Set<string>>();
  readonly #sent = new Map<string, Set<string>>();
  readonly #redirected = new Set<string>();

  decoded({ number }: Message, values: TagValues): void {
    for (const [i, identity] of identitiesOf(values).entries()) {
      const destination = values.destinationOf(i);
      const key = `${number}/${values.valueNos[i]!} ${identity}`;
      const before = this.#byPlace.get(key);
      if (before !== undefined && before !== destination)
        this.#problems.push(`the value ${key} was for ${before}, and is for ${destination}`);
      this.#byPlace.set(key, destination);
      add(this.#tables, identity, tableOf(destination));
    }
  }

  sent(table: string, identities: readonly string[]): void {
    for (const identity of identities) add(this.#sent, identity, table);
  }

  /** A person has had a file replayed to this destination. */
  redirected(to: string): void {
    this.#redirected.add(tableOf(to));
  }

  get problems(): readonly string[] {
    const astray = [...this.#sent].flatMap(([identity, tables]) => {
      const known = this.#tables.get(identity);
      return [...tables]
        .filter((table) => known?.has(table) !== true && !this.#redirected.has(table))
        .map((table) => `sent to ${table}: ${identity}, which is for ${[...(known ?? [])].join(', ')}`);
    });
    return [...this.#problems, ...astray];
  }
}

function add(to: Map<string, Set<string>>, key: string, value: string): void {
  const values = to.get(key) ?? new Set();
  to.set(key, values.add(value));
}
