import { TagValues, type Tag } from '../src/core/tag-values.ts';
import { TagsSeen } from '../src/ops/tags-seen.ts';

/*
 * What it costs to note the last value of each tag, in ns a value, beside what it costs to put a value into its list.
 * Messages come in a new random order in each round; the best round counts. Compare with the µs a row of `npm run
 * bench`.
 */

const LEAST_VALUES = 2_000_000;

function shuffle(list: number[]): void {
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
}

function nsPerValue(tags: readonly Tag[], perMessage: number, note: (values: TagValues) => void): number {
  const starts = Array.from({ length: tags.length / perMessage }, (_, i) => i * perMessage);
  const values = new TagValues(perMessage);
  let bestMs = Number.POSITIVE_INFINITY;
  for (let done = 0; done < LEAST_VALUES; done += tags.length) {
    shuffle(starts);
    const startedMs = performance.now();
    for (const start of starts) {
      values.clear();
      for (let i = 0; i < perMessage; i += 1) values.push(tags[start + i]!, i + 0.5, null, 1.7e12 + i, 'GOOD');
      note(values);
    }
    bestMs = Math.min(bestMs, performance.now() - startedMs);
  }
  return (bestMs * 1e6) / tags.length;
}

const CASES = [
  { tags: 1_000, perMessage: 50 },
  { tags: 50_000, perMessage: 50 },
  { tags: 100_000, perMessage: 50 },
  { tags: 200_000, perMessage: 50 },
  { tags: 1_000, perMessage: 1 },
  { tags: 10_000, perMessage: 1 },
  { tags: 100_000, perMessage: 1 },
];

for (const { tags: count, perMessage } of CASES) {
  const tags = Array.from({ length: count }, (_, i): Tag => {
    const plcCode = `PLC${Math.floor(i / perMessage)}`;
    return { plcCode, address: `D${i}`, name: `${plcCode}.D${i}` };
  });
  const seen = new TagsSeen();
  // The decoder has just had each tag in its hands.
  let letters = 0;
  const push = nsPerValue(tags, perMessage, (values) => {
    for (let i = 0; i < values.length; i += 1)
      letters += values.tags[i]!.name.length + values.tags[i]!.name.charCodeAt(0);
  });
  if (letters === 0) throw new Error('the names are empty');
  const both = nsPerValue(tags, perMessage, (values) => seen.note(values));
  console.log(
    `${count.toLocaleString('en-US').padStart(7)} tags, ${String(perMessage).padStart(2)} a message: ` +
      `put into the list ${push.toFixed(1)} ns, noted ${(both - push).toFixed(1)} ns`,
  );
}
