import type { JsonOptions, Mapping, MappingPlace, MessageMapping, RowMapping } from './mapping.ts';
import { ROW_KEYS } from './mapping-keys.ts';
import { PRESETS } from './presets.ts';

const EVERY = /\/\*$/;

/**
 * The mapping that options come to: what is written nearer to the user goes before. With `rows` of their own these
 * are the keys of a row, those beside `rows`, the subscription's; with a preset those beside it, the subscription's,
 * the preset's. `options` must have passed the check of its keys.
 */
export function resolveMapping(options: JsonOptions, place: MappingPlace): Mapping {
  const { preset, rows, when, ...others } = options;
  const message: Record<string, unknown> = {};
  const common: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(others)) (Object.hasOwn(ROW_KEYS, key) ? common : message)[key] = value;
  if (when !== undefined) message['when'] = when;

  const base: Mapping = preset === undefined ? { rows: [{}] } : PRESETS[preset]!.mapping;
  const { rows: baseRows, ...baseMessage } = base;
  const usual = defaultKeys(place);
  const ofPlace = placeKeys(place);
  const resolved =
    rows === undefined
      ? baseRows.map((row): RowMapping => Object.assign({}, usual, row, ofPlace, common))
      : rows.map((row): RowMapping => Object.assign({}, usual, ofPlace, common, row));
  return { ...(baseMessage satisfies MessageMapping), ...message, rows: resolved.map(withTag) };
}

function placeKeys(place: MappingPlace): RowMapping {
  const { decimalComma, numbersInText, plcCode, quality, tagAddress, timestampFormat, words } = place;
  return {
    ...(plcCode === '' ? {} : { plc: plcCode }),
    ...(tagAddress === '' ? {} : { tag: tagAddress }),
    ...(quality === undefined ? {} : { qualityScale: quality }),
    ...(timestampFormat === '' ? {} : { timestampFormat }),
    ...(numbersInText ? { numbersInText } : {}),
    ...(decimalComma ? { decimalComma } : {}),
    ...(Object.keys(words).length === 0 ? {} : { words }),
  };
}

/** What the subscription has a default for, which a preset may know better. */
function defaultKeys({ timeZone }: MappingPlace): RowMapping {
  return timeZone === '' ? {} : { timeZone };
}

function withTag(row: RowMapping): RowMapping {
  return row.tag === undefined && EVERY.test(row.each ?? '/') ? { ...row, tag: '{#}' } : row;
}
