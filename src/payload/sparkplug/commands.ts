/*
 * The few payloads that the bridge makes itself.
 */

/** The uuid of a payload that the bridge has made, for itself. */
export const VERIFIED_DEATH = 'MQTT_ORACLE_BRIDGE_VERIFIED_DEATH';

const REBIRTH = 'Node Control/Rebirth';
const BOOLEAN = 11;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

function integerField(field: number, value: number): Buffer {
  return Buffer.from([...varint(field << 3), ...varint(value)]);
}

function bytesField(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
}

/** The command that asks an edge node for its births. `timeMs`: a whole number of epoch milliseconds. */
export function rebirthRequest(timeMs: number): Buffer {
  const metric = [
    bytesField(1, Buffer.from(REBIRTH)),
    integerField(3, timeMs),
    integerField(4, BOOLEAN),
    integerField(14, 1),
  ];
  return Buffer.concat([integerField(1, timeMs), bytesField(2, Buffer.concat(metric))]);
}

/**
 * Nothing was heard of an edge node since message `messageNo` told its death: the death of a payload that is read
 * here.
 */
export function verifiedDeath(messageNo: number): Buffer {
  return Buffer.concat([bytesField(4, Buffer.from(VERIFIED_DEATH)), bytesField(5, Buffer.from(String(messageNo)))]);
}
