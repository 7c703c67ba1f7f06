/** What a session's NLS and time zone settings change about conversions. */
export interface SessionSettings {
  /** Of the session's time zone. */
  offsetMinutes: number;
  dateFormat: string;
  timestampFormat: string;
  timestampTzFormat: string;
  /** All NLS parameters as the dictionary shows them. */
  readonly nls: Map<string, string>;
  /** What the client has told of itself, by its name in SYS_CONTEXT('USERENV', …). */
  readonly names: Map<SessionName, string>;
}

export type SessionName = 'MODULE' | 'ACTION' | 'CLIENT_IDENTIFIER' | 'CLIENT_INFO';

export const NLS_DEFAULTS: readonly (readonly [name: string, value: string])[] = [
  ['NLS_LANGUAGE', 'AMERICAN'],
  ['NLS_TERRITORY', 'AMERICA'],
  ['NLS_CURRENCY', '$'],
  ['NLS_ISO_CURRENCY', 'AMERICA'],
  ['NLS_NUMERIC_CHARACTERS', '.,'],
  ['NLS_CALENDAR', 'GREGORIAN'],
  ['NLS_DATE_FORMAT', 'DD-MON-RR'],
  ['NLS_DATE_LANGUAGE', 'AMERICAN'],
  ['NLS_SORT', 'BINARY'],
  ['NLS_TIME_FORMAT', 'HH.MI.SSXFF AM'],
  ['NLS_TIMESTAMP_FORMAT', 'DD-MON-RR HH.MI.SSXFF AM'],
  ['NLS_TIME_TZ_FORMAT', 'HH.MI.SSXFF AM TZR'],
  ['NLS_TIMESTAMP_TZ_FORMAT', 'DD-MON-RR HH.MI.SSXFF AM TZR'],
  ['NLS_DUAL_CURRENCY', '$'],
  ['NLS_COMP', 'BINARY'],
  ['NLS_LENGTH_SEMANTICS', 'BYTE'],
  ['NLS_NCHAR_CONV_EXCP', 'FALSE'],
];

export function defaultSettings(): SessionSettings {
  const nls = new Map(NLS_DEFAULTS);
  return {
    offsetMinutes: 0,
    dateFormat: nls.get('NLS_DATE_FORMAT')!,
    timestampFormat: nls.get('NLS_TIMESTAMP_FORMAT')!,
    timestampTzFormat: nls.get('NLS_TIMESTAMP_TZ_FORMAT')!,
    nls,
    names: new Map(),
  };
}

/** ALTER SESSION SET name = value; names that change nothing here are remembered or ignored. */
export function alterSetting(settings: SessionSettings, name: string, value: string): void {
  if (settings.nls.has(name)) settings.nls.set(name, value);
  if (name === 'NLS_DATE_FORMAT') settings.dateFormat = value;
  if (name === 'NLS_TIMESTAMP_FORMAT') settings.timestampFormat = value;
  if (name === 'NLS_TIMESTAMP_TZ_FORMAT') settings.timestampTzFormat = value;
  if (name === 'TIME_ZONE') settings.offsetMinutes = parseOffset(value) ?? 0;
}

/** `+05:30` in minutes. */
export function parseOffset(text: string): number | undefined {
  const match = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(text.trim());
  if (match === null) return undefined;
  return (Number(match[2]) * 60 + Number(match[3])) * (match[1] === '-' ? -1 : 1);
}

export function offsetText(offsetMinutes: number): string {
  const total = Math.abs(offsetMinutes);
  const hours = String(Math.floor(total / 60)).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${hours}:${String(total % 60).padStart(2, '0')}`;
}
