import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../payloads', import.meta.url));

/** One payload of the table as its file has it. */
export interface PayloadCase {
  readonly name: string;
  readonly about: string;
  readonly subscription: Readonly<Record<string, unknown>>;
  /** Default `{plc}.{tag}`. */
  readonly tagName?: string;
  readonly topic: string;
  /** Sent as JSON; or a text as it stands; or bytes. */
  readonly payload?: unknown;
  readonly payloadText?: string;
  readonly payloadBase64?: string;
  /** What must become of it: rows, a reason or neither. */
  readonly rows?: readonly ExpectedRow[];
  readonly reason?: { readonly code: string; readonly message?: string };
  readonly skipped?: true;
}

/** What is left out is as usual: no number, no text, the time of receipt (null: none), GOOD, no problem. */
export interface ExpectedRow {
  readonly name: string;
  readonly value?: number;
  readonly text?: string;
  readonly time?: string | null;
  readonly quality?: string;
  readonly problem?: string;
}

/** All payloads of a folder of the table. */
export function readCases(folder: string): PayloadCase[] {
  return readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      ...(JSON.parse(readFileSync(join(ROOT, folder, file), 'utf8')) as Omit<PayloadCase, 'name'>),
    }));
}

export function payloadOf({ payload, payloadText, payloadBase64 }: PayloadCase): Buffer {
  if (payloadBase64 !== undefined) return Buffer.from(payloadBase64, 'base64');
  return Buffer.from(payloadText ?? JSON.stringify(payload));
}
