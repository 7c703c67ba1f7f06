import { PRESETS } from './presets.ts';

/**
 * A subscription with the mapping of a preset written out, as JSON with a comment on top; undefined for a name that
 * none has. A preset of one row has its keys without `rows`.
 */
export function presetSubscription(name: string): string | undefined {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset === undefined) return undefined;
  const { rows, ...message } = preset.mapping;
  const [only] = rows;
  // A condition of a row is none of the message.
  const isPlain = rows.length === 1 && only?.when === undefined;
  const json = isPlain ? { ...message, ...only } : { ...message, rows };
  const subscription = { topic: preset.topic, format: 'json', json };
  const names =
    preset.namesTopic === undefined ? '' : `// Names come on ${preset.namesTopic}: subscribe to it by the same json.\n`;
  return `// ${preset.publisher}. What the keys do: docs/json.md\n${names}${JSON.stringify(subscription, null, 2)}\n`;
}
