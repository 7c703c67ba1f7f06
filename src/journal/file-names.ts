/**
 * What lies in the journal's directory beside its segments (segment.ts), damaged bytes of them (recovery.ts) and the
 * reserve (core/reserve.ts), each with one owner: whoever writes a file replaces it as a whole, so that two with one
 * name would take what the other has noted away.
 */
export const JOURNAL_FILES = {
  /** checkpoint-file.ts */
  checkpoint: 'checkpoint.json',
  /** payload/route-history.ts: how messages of the journal are to be read. */
  routes: 'routes.json',
  /** payload/retained-memory.ts */
  retained: 'retained.log',
  /** payload/format-memory.ts: a directory. */
  formats: 'formats',
  /** mqtt/session/subscription-memory.ts: what the broker has to be unsubscribed from. */
  subscriptions: 'subscriptions.json',
  /** mqtt/connection/broker-memory.ts */
  broker: 'broker.json',
  /** notices/notice-memory.ts */
  notices: 'notices.json',
  /** The history of outages, which is for people alone: nothing is decided by it. */
  outages: 'outages.json',
  /** process-lock.ts */
  lock: 'lock',
} as const;
