/** A counter or a gauge of `Source`. */
export interface Figure<Source, Value extends number | undefined = number> {
  readonly type: 'counter' | 'gauge';
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  /** Gives the figure at the time of a scrape; undefined: there is no such series. */
  readonly read: (source: Source) => Value;
}

export function counter<Source, Value extends number | undefined>(
  name: string,
  help: string,
  read: (source: Source) => Value,
): Figure<Source, Value> {
  return { type: 'counter', name, help, read };
}

export function gauge<Source, Value extends number | undefined>(
  name: string,
  help: string,
  read: (source: Source) => Value,
): Figure<Source, Value> {
  return { type: 'gauge', name, help, read };
}
