/**
 * What each client does, in this order; a program beside this file for each language, with the same names. Its steps
 * are those that a client of the bridge's database needs, and then what the stand-in does not have, which has to be
 * refused in time with an ORA error and to leave the connection usable.
 */
export const STEPS = [
  'log on',
  'wrong password',
  'unknown user',
  'unknown service',
  'select',
  'create table',
  'version text',
  'array with a bad row',
  'roll back',
  'commit',
  'read back',
  'unique violation',
  'missing table',
  'second log-on',
  'lock a row',
  'call time-out',
  'parse only',
  'returning refused',
  'out bind refused',
  'lob refused',
  'change of password refused',
  'two-phase refused',
  'log off',
] as const;

export type Step = (typeof STEPS)[number];

/** What became of one step: told by the client, or `absent` where its driver has no such thing. */
export type Outcome =
  { readonly kind: 'good' } | { readonly kind: 'absent' } | { readonly kind: 'bad'; readonly said: string };

/**
 * The outcomes of all steps from the lines that a client has printed. A step that was told twice is bad if it was bad
 * once; one that was not told is bad as well: `ended` says why.
 */
export function outcomesOf(printed: string, lacks: readonly Step[], ended: string): Readonly<Record<Step, Outcome>> {
  const told = new Map<string, Outcome>();
  for (const line of printed.split('\n').filter((each) => each.startsWith('{'))) {
    const { step, ok, said } = JSON.parse(line) as { step: string; ok: boolean; said: string };
    if (!STEPS.some((each) => each === step)) throw new Error(`a client tells of "${step}", which is no step`);
    if (told.get(step)?.kind !== 'bad') told.set(step, ok ? { kind: 'good' } : { kind: 'bad', said });
  }
  const untold: Outcome = { kind: 'bad', said: ended };
  const entries = STEPS.map((step) => [step, lacks.includes(step) ? { kind: 'absent' } : (told.get(step) ?? untold)]);
  return Object.fromEntries(entries) as Record<Step, Outcome>;
}
