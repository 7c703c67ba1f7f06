/** The name of the destination that `oracle.table` is: of what says nothing else. */
export const DEFAULT_DESTINATION = 'default';

/** What a name in `oracle.destinations` looks like. */
export const DESTINATION_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** Where the configuration describes a destination: its keys stand behind that, as in `oracle.table`. */
export function settingOf(destination: string): string {
  return destination === DEFAULT_DESTINATION ? 'oracle' : `oracle.destinations.${destination}`;
}

/** Whether a destination may have this name; which ones there are is another question. */
export function isDestinationName(value: unknown): value is string {
  return typeof value === 'string' && DESTINATION_NAME.test(value);
}
