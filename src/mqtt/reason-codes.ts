import mqtt from 'mqtt';

/**
 * Reason codes with which a broker refuses or ends a connection: those of CONNACK in MQTT 3.1.1 [section 3.2.2.3], from 1 to 5, and those
 * of MQTT 5 [section 3.2.2.2 and 3.14.2.1], from 128.
 */
export interface Refusal {
  /** What a person can do about it. */
  readonly remedy: string;
  /** Nothing changes until a person acts: trying often only fills the broker's log, or locks the account. */
  readonly isSlow: boolean;
}

const CREDENTIALS = { remedy: 'check mqtt.username and mqtt.password, or the certificate', isSlow: true };
const PERMISSION = { remedy: 'allow this client in the access rules of the broker', isSlow: true };
const CLIENT_ID = { remedy: 'the broker does not take this client id: change mqtt.clientId', isSlow: true };
const SAME_CLIENT_ID = {
  remedy: 'another client uses this client id: each bridge needs its own bridge.id and mqtt.clientId',
  isSlow: true,
};

const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [2, CLIENT_ID],
  [4, CREDENTIALS],
  [5, CREDENTIALS],
  [133, CLIENT_ID],
  [134, CREDENTIALS],
  [135, CREDENTIALS],
  [138, PERMISSION],
  [140, CREDENTIALS],
  [142, SAME_CLIENT_ID],
]);

const NONE: Refusal = { remedy: '', isSlow: false };

export function refusalOf(code: number | undefined): Refusal {
  return (code === undefined ? undefined : REFUSALS.get(code)) ?? NONE;
}

/** MQTT 3.1.1 and MQTT 5: the broker does not speak the version that we asked for. */
export function isVersionRefusal(code: number | undefined): boolean {
  return code === 1 || code === 132;
}

/** mqtt.js puts reason codes where system errors have their names. */
export function reasonCodeOf(error: Error): number | undefined {
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** `Not authorized (0x87)` */
export function reasonText(code: number): string {
  const names: Readonly<Record<number, string>> = mqtt.ReasonCodes;
  return `${names[code] ?? 'unknown reason'} (0x${code.toString(16).padStart(2, '0')})`;
}
