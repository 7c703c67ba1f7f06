/** What to do about a file whose rows are for a destination that the configuration does not name. */
export function goneHint(destination: string): string {
  return `its destination ${destination} is not in oracle.destinations: put it back, or backups replay FILE --to NAME`;
}

/** As `goneHint`, for a file of which rows may be in that destination's table already. */
export function begunHint(destination: string): string {
  return (
    `its destination ${destination} is not in oracle.destinations, and rows of it may be in that one's table already: ` +
    'put it back'
  );
}
