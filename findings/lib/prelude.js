/** What each observation has at hand. `PORT` is the broker's. */
export { RawClient, until, untilQuiet } from './raw-client.js';

export const port = Number(process.env.PORT);
let isAsBefore = true;

/** Prints a line of what was seen; `isSo`: as it was when the finding was written down. */
export function see(what, isSo) {
  console.log(`${isSo ? '  ' : '! '}${what}`);
  isAsBefore &&= isSo;
}

/** Ends with 1 when anything was not as before. */
export function verdict() {
  console.log(isAsBefore ? 'as before' : 'CHANGED: what is marked with ! is no longer as the head of this script says');
  process.exitCode = isAsBefore ? 0 : 1;
  process.exit();
}
