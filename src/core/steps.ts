/** The moments between which a value changes its owner: where a crash would tell whether the promise is kept. */
export const STEPS = [
  'received',
  'appended',
  'synced',
  'acknowledged',
  'taken',
  'sent',
  'committed',
  'backed-up',
  'sealed',
  'replayed',
  'file-deleted',
  'checkpoint-written',
] as const;
export type Step = (typeof STEPS)[number];

/** Told of each step, once a batch of work. Tests crash the process there; otherwise it does nothing. */
export type OnStep = (step: Step) => void;

export const noStep: OnStep = () => {};
