/** The name of the destination that `oracle.table` is: of what says nothing else. */
export const DEFAULT_DESTINATION = 'default';

/** What a name in `oracle.destinations` looks like. */
export const DESTINATION_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** Where the configuration describes a destination: its keys stand behind that, as in `oracle.table`. */
export function settingOf(destination: string): string {
  return destination === DEFAULT_DESTINATION ? 'oracle' : `oracle.destinations.${destination}`;
}

/** Advice that names keys of the default destination, with those of this one. */
export function adviceFor(destination: string, text: string): string {
  return text.replaceAll(/\boracle\.(?=(?:table|columns|valueType|onDuplicate)\b)/g, `${settingOf(destination)}.`);
}

/** As a field of a log entry or a file; the default is not named there, as in files from before there were others. */
export function destinationField(destination: string): { readonly destination?: string } {
  return destination === DEFAULT_DESTINATION ? {} : { destination };
}

/** Whether a destination may have this name; which ones there are is another question. */
export function isDestinationName(value: unknown): value is string {
  return typeof value === 'string' && DESTINATION_NAME.test(value);
}
