/** The name of the destination that `oracle.table` is: of what says nothing else. */
export const DEFAULT_DESTINATION = 'default';
