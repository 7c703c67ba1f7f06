import mqtt from 'mqtt';

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
