import { BROKER_KINDS, NEUTRAL_SETTINGS, type BrokerKind, type SettingName, type Traits } from './broker-kinds.ts';
import type { Manners } from '../trial/manners.ts';

export interface Recognition {
  readonly kind: BrokerKind | undefined;
  /** It did not say so: its manners are those of this kind. */
  readonly isGuess: boolean;
}

/** Undefined where it does not say, or says a name that is not known. */
export function kindNamed(software: string): BrokerKind | undefined {
  return software === '' ? undefined : BROKER_KINDS.find(({ says }) => says.test(software));
}

/** Which broker it is: by its own word, or else by the manners that fit, the kind with the most of them first. */
export function recognise(software: string, traits: Traits): Recognition {
  const said = kindNamed(software);
  if (said !== undefined) return { kind: said, isGuess: false };
  const fitting = BROKER_KINDS.filter(({ looks }) => looks !== undefined && fits(looks, traits));
  const [kind] = fitting.sort((a, b) => Object.keys(b.looks!).length - Object.keys(a.looks!).length);
  return { kind: software === '' ? kind : undefined, isGuess: true };
}

function fits(looks: Partial<Traits>, traits: Traits): boolean {
  return Object.entries(looks).every(([name, value]) => traits[name as keyof Traits] === value);
}

export function traitsOf({ retained, session, topics }: Manners): Traits {
  const again =
    session?.sameIds === undefined
      ? '?'
      : `${session.sameIds ? 'same' : 'new'} ids, ${session.flagged === true ? 'flagged' : 'not flagged'}`;
  return {
    window: String(session?.window ?? '?'),
    ids: session?.ids ?? '?',
    again,
    dot: topics.dot ?? '?',
    plusWithDot: yesOrNo(topics.plusWithDot),
    retainFlag: yesOrNo(retained?.flagged),
  };
}

function yesOrNo(value: boolean | undefined): string {
  return value === undefined ? '?' : value ? 'yes' : 'no';
}

/** What the bridge's configuration asks of a broker. */
export interface Wanted {
  readonly sessionSeconds: number;
  readonly window: number;
  readonly packetBytes: number;
}

const SECONDS_PER_DAY = 86_400;

/** `on mosquitto: persistence true`; without a name where the broker is not known. */
export function settingOf(kind: BrokerKind | undefined, name: SettingName, wanted: Wanted): string {
  const values: Readonly<Record<string, string>> = {
    days: String(Math.ceil(wanted.sessionSeconds / SECONDS_PER_DAY)),
    seconds: String(wanted.sessionSeconds),
    millis: String(wanted.sessionSeconds * 1000),
    window: String(wanted.window),
    bytes: String(wanted.packetBytes),
  };
  const text = (kind?.settings ?? NEUTRAL_SETTINGS)[name].replaceAll(
    /\{(\w+)\}/g,
    (all, key: string) => values[key] ?? all,
  );
  return kind === undefined ? text : `on ${kind.name}: ${text}`;
}
