import type { CrashRunResult } from './crash-run.ts';
import type { Offence } from './verdict.ts';

/** `kills 100 · lost 0 · doubled 0 · unknown 0 · maybe repeated 0 · values 61240 · 171 s` */
export function summaryOf({ kills, maybeRepeated, offences, owed, seconds }: CrashRunResult): string {
  return `kills ${kills} · ${countsOf(offences)} · maybe repeated ${maybeRepeated} · values ${owed} · ${seconds.toFixed(0)} s`;
}

/** `lost 0 · doubled 0 · unknown 0` */
export function countsOf(offences: readonly Offence[]): string {
  const count = (what: Offence['what']): string =>
    `${what} ${offences.filter((offence) => offence.what === what).length}`;
  return [count('lost'), count('doubled'), count('unknown')].join(' · ');
}
