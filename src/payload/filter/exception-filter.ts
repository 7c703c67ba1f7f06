import type { Message } from '../../core/message.ts';
import type { TagValues } from '../../core/tag-values.ts';
import { compileRules, type RuleOf } from './band-rules.ts';
import type { FilterOptions, TimeOptions } from './filter-options.ts';
import { LastValues, type TagScope } from './last-values.ts';
import { windowAt } from './plausible-time.ts';

/** A subscription, as far as the filter asks. */
export interface FilteredRoute extends FilterOptions, TimeOptions {
  readonly topic: string;
}

/** The rules of a subscription, and its tags by destination: a value for one table says nothing of another's. */
interface RouteFilter {
  readonly ruleOf: RuleOf;
  readonly scopes: Map<string, TagScope>;
}

/**
 * Report by exception: takes out of a message's values those that differ too little from the last one of their tag that
 * was let through (last-values.ts).
 *
 * It stands between decoder and buffer, and what it knows lives as long as the process. Messages up to the last one of
 * an earlier process are let through whole, and nothing is learnt of them: nobody knows which of their values that
 * process had let through, and had written. So the first value of each tag after a start is written.
 */
export class ExceptionFilter {
  readonly #values: LastValues;
  readonly #filters = new WeakMap<FilteredRoute, RouteFilter>();
  /** Of the present routes, by what they say. */
  #present = new Map<string, RouteFilter>();
  #isNeeded = false;
  #earlierThrough = 0;
  #marks = new Uint8Array(0);

  /** `maxTags`: so many tags are remembered, over all subscriptions and destinations. */
  constructor(routes: readonly FilteredRoute[], maxTags?: number) {
    this.#values = new LastValues(maxTags);
    this.useRoutes(routes);
  }

  /** False as long as no route that was ever named has a deadband. */
  get isNeeded(): boolean {
    return this.#isNeeded;
  }

  /** To be called before the first message. `earlierThrough`: the last message that came to an earlier process. */
  resume(earlierThrough: number): void {
    this.#earlierThrough = earlierThrough;
  }

  /** Takes over other routes from the next message on. A route that says the same as before goes on where it was. */
  useRoutes(routes: readonly FilteredRoute[]): void {
    const before = this.#present;
    this.#present = new Map();
    for (const route of routes) {
      const ruleOf = compileRules(route);
      if (ruleOf === undefined) continue;
      const { deadband, maxSilenceSeconds, plausibleTime, tags, topic } = route;
      const key = JSON.stringify([topic, deadband, maxSilenceSeconds, tags, plausibleTime]);
      const filter = before.get(key) ?? { ruleOf, scopes: new Map<string, TagScope>() };
      this.#present.set(key, filter);
      this.#filters.set(route, filter);
      this.#isNeeded = true;
    }
  }

  /** Takes values out of the message's list, and counts them as left out. `route`: the one that read the message. */
  apply({ number, receivedAtMs }: Message, route: FilteredRoute | undefined, values: TagValues): void {
    const filter = route && this.#filters.get(route);
    if (route === undefined || filter === undefined || number <= this.#earlierThrough) return;
    const marks = this.#clearMarks(values.length);
    const window = windowAt(receivedAtMs, route);
    let out = 0;
    for (const { destination, end, start } of values.parts) {
      out += this.#values.mark(values, { scope: scopeOf(filter, destination), start, end, window, marks });
    }
    values.leaveOut(marks, out);
  }

  #clearMarks(length: number): Uint8Array {
    if (this.#marks.length < length) this.#marks = new Uint8Array(length);
    return this.#marks.subarray(0, length).fill(0);
  }
}

function scopeOf({ ruleOf, scopes }: RouteFilter, destination: string): TagScope {
  const known = scopes.get(destination);
  if (known !== undefined) return known;
  const scope = { ruleOf, slots: new Map() };
  scopes.set(destination, scope);
  return scope;
}
