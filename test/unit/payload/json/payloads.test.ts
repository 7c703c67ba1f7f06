import { describe, expect, it } from 'vitest';

import { TagValues } from '../../../../src/core/tag-values.ts';
import { checkMapping, compileMapping } from '../../../../src/payload/json/compile.ts';
import { JsonReader, SKIPPED } from '../../../../src/payload/json/json-reader.ts';
import { TagCatalog } from '../../../../src/payload/tag-name.ts';
import { payloadOf, readCases, type ExpectedRow } from './payload-table.ts';

const RECEIVED = '2025-11-02T15:00:00.000Z';

function rowsOf(values: TagValues): Required<Omit<ExpectedRow, never>>[] {
  return Array.from({ length: values.length }, (_, i) => ({
    name: values.tags[i]!.name,
    value: Number.isNaN(values.numbers[i]!) ? undefined! : values.numbers[i]!,
    text: values.texts[i] ?? undefined!,
    time: Number.isNaN(values.timesMs[i]!) ? null : new Date(values.timesMs[i]!).toISOString(),
    quality: values.qualities[i]!,
    problem: values.problems[i]?.code ?? undefined!,
  }));
}

describe('the payloads of the table', () => {
  const cases = readCases('json');
  it.each(cases)('$name: $about', (each) => {
    const { subscription: s } = each;
    const place = {
      plcCode: (s['plcCode'] as string) ?? '',
      tagAddress: (s['tagAddress'] as string) ?? '',
      timeZone: '',
      qualityScale: undefined,
    };
    expect(checkMapping(s['json'], place)).toEqual([]);
    const reader = new JsonReader(
      compileMapping(s['json'] as never, place),
      new TagCatalog(each.tagName ?? '{plc}.{tag}'),
    );
    const values = new TagValues(4);
    const outcome = reader.decode(
      { number: 7, topic: each.topic, payload: payloadOf(each), receivedAtMs: Date.parse(RECEIVED) },
      each.topic.split('/'),
      values,
    );
    if (each.skipped) expect(outcome).toBe(SKIPPED);
    else if (each.reason) expect(outcome).toMatchObject(each.reason);
    else {
      expect(outcome).toBeUndefined();
      expect(rowsOf(values)).toEqual(
        each.rows!.map((row) => ({
          value: undefined,
          text: undefined,
          time: RECEIVED,
          quality: 'GOOD',
          problem: undefined,
          ...row,
        })),
      );
    }
  });
});
