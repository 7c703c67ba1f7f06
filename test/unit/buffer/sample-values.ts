import { TagValues } from '../../../src/core/tag-values.ts';

/** Values with the given numbers, which show in every column. */
export function sampleValues(ids: readonly number[]): TagValues {
  const values = new TagValues(2);
  for (const id of ids) {
    const tag = { plcCode: 'P', address: `A${id}`, name: `P.A${id}` };
    values.push(tag, id, `text ${id}`, id * 1000, `Q${id}`, { code: `C${id}`, message: '' });
  }
  values.stamp(0, 0);
  for (const [i, id] of ids.entries()) {
    values.messageNos[i] = id;
    values.valueNos[i] = id;
    values.receivedAtMs[i] = id;
  }
  return values;
}

/** The numbers of such values; throws when the columns of one don't belong together. */
export function idsOf(values: TagValues): number[] {
  return Array.from({ length: values.length }, (_, i) => {
    const id = values.numbers[i]!;
    const columns = [
      values.tags[i]!.address === `A${id}`,
      values.texts[i] === `text ${id}`,
      values.timesMs[i] === id * 1000,
      values.qualities[i] === `Q${id}`,
      values.problems[i]?.code === `C${id}`,
      values.messageNos[i] === id,
      values.valueNos[i] === id,
      values.receivedAtMs[i] === id,
    ];
    if (columns.includes(false)) throw new Error(`value ${id} is mixed up: ${columns.join()}`);
    return id;
  });
}
