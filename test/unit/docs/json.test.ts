import { describe, expect, it } from 'vitest';

import { MESSAGE_KEYS, ROW_KEYS } from '../../../src/payload/json/mapping-keys.ts';
import { PRESET_NAMES } from '../../../src/payload/json/presets.ts';
import { becomes, type ExpectedRow, type PayloadCase } from '../../payloads/payload-table.ts';
import { codeSpans, readPage, section, tableRows } from './pages.ts';

const PAGE = readPage('docs/json.md');
const EXAMPLES = [...PRESET_NAMES.map((name) => `### \`${name}\``), '## A mapping'];

/** The subscription, the payload and the topic of an example, and the table of what it becomes. */
function exampleOf(heading: string): { readonly payload: PayloadCase; readonly rows: readonly string[][] } {
  // A mapping's own example stands before the tables of its keys.
  const [text = ''] = section(PAGE, heading).split('\n### ');
  const [subscription = '', payloadText = ''] = [...text.matchAll(/^```json\n(.*?)^```$/gms)].map(([, code]) => code!);
  const topic = /^On `(.*)`:$/m.exec(text)?.[1] ?? 'line/1/values';
  const payload = {
    about: heading,
    subscription: JSON.parse(subscription) as PayloadCase['subscription'],
    topic,
    payloadText,
  };
  return { payload, rows: tableRows(text) };
}

/** As the page shows it. */
function shown({ name, value, text, time, quality }: ExpectedRow): string[] {
  const shownTime = time === undefined ? '_of receipt_' : (time ?? '').replace('T', ' ').replace('Z', '');
  return [`\`${name}\``, value === undefined ? '' : String(value), text ?? '', shownTime, quality ?? 'GOOD'];
}

describe('docs/json.md', () => {
  it.each(EXAMPLES)('shows in %s what the message becomes', (heading) => {
    const { payload, rows } = exampleOf(heading);
    expect(becomes(payload).rows?.map(shown)).toStrictEqual(rows);
  });

  it.each([
    ['### Keys of a row', ROW_KEYS],
    ['### Keys of the message', MESSAGE_KEYS],
  ])('has under %s each key and what it does', (heading, keys) => {
    const rows = tableRows(section(PAGE, heading));
    expect(rows.map(([key, does]) => [codeSpans(key!)[0], does])).toStrictEqual(
      Object.entries(keys).map(([key, { doc }]) => [key, doc]),
    );
  });
});
