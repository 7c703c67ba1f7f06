/** What is published: values that can be told apart, or values that can't. */
export const PAYLOAD_KINDS = ['time', 'equal'] as const;
export type PayloadKind = (typeof PAYLOAD_KINDS)[number];

export interface Payloads {
  readonly kind: PayloadKind;
  /** Of the bridge's subscription, without the topic. */
  readonly reading: Readonly<Record<string, string>>;
  readonly subscription: string;
  topic(number: number): string;
  payload(number: number): string;
  /** The number of the message that a row comes from; undefined where rows can only be counted. */
  numberOf(rowName: string): number | undefined;
}

const PLCS = 4;

/** Below a topic of its own, without dots: two brokers don't deliver those to wildcards. */
export function payloadsOf(kind: PayloadKind, root: string): Payloads {
  if (kind === 'equal') {
    return {
      kind,
      reading: { format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
      subscription: `${root}/+/+`,
      topic: () => `${root}/PLC1/D100`,
      payload: () => '1',
      numberOf: () => undefined,
    };
  }
  return {
    kind,
    reading: { format: 'polling' },
    subscription: `${root}/+/tags`,
    topic: (number) => `${root}/PLC${number % PLCS}/tags`,
    payload: (number) =>
      JSON.stringify({
        timestamp: new Date().toISOString(),
        plc_code: `PLC${number % PLCS}`,
        tag_values: { [`V${number}`]: number },
      }),
    numberOf: (rowName) => {
      const name = /\.V(\d+)$/.exec(rowName)?.[1];
      return name === undefined ? undefined : Number(name);
    },
  };
}
