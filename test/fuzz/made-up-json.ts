import type { Random } from '../simulation/random.ts';

/** Keys that the presets, `polling` and every object know. */
const KEYS = (
  'values v q t id timestamp quality tag_values plc_code value Messages Payload Value StatusCode SourceTimestamp fields ' +
  'metrics tags name node group n u v vs vb bn bt bv e payload data rows columns params ts result apower StatusSNS Time ' +
  '__proto__ constructor toString text hasOwnProperty 0 1'
).split(' ');

const SCALARS = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '12.5',
  '1e999',
  '-1e-999',
  '9007199254740993',
  '-9223372036854775808',
  '1700000000123456789',
  '1700000000123',
  '0.30000000000000004',
  '"2024-01-01T00:00:00Z"',
  '"31.12.9999 23:59:59"',
  '"12,5"',
  '"NaN"',
  '""',
  '" "',
  '"\\ud800"',
  '"\\u0000\\u0000"',
  '"=1+1"',
  '"\\"\\r\\n,"',
  '"ua-data"',
  '"NotifyStatus"',
  '"DDATA"',
  '"Good"',
  '2153775104',
  '192',
];

const DEEPEST = 6;
const MOST_MEMBERS = 5;
const TEXT_CHARACTERS = ['a', '"', '\\', '\n', 'é', '😀', '\u0000', "'", '=', '{', '␀', '\ud83d', '/', ' '];

/** A document, or now and then several, of made-up shape and known words; a key may come twice. */
export function madeUpJson(random: Random): Buffer {
  if (random.chance(0.05)) return Buffer.from(deep(random));
  const count = random.chance(0.1) ? random.int(2, 4) : 1;
  const documents = Array.from({ length: count }, () => tree(random, DEEPEST));
  return Buffer.from(documents.join(random.pick(['\n', '\r\n', '', '\u001e'])));
}

function tree(random: Random, levels: number): string {
  const kind = random.next();
  if (levels === 0 || kind < 0.3) return scalar(random);
  const members = Array.from({ length: random.int(0, MOST_MEMBERS) }, () => tree(random, levels - 1));
  if (kind < 0.55) return `[${members.join(',')}]`;
  return `{${members.map((member) => `${JSON.stringify(key(random))}:${member}`).join(random.pick([',', ', ']))}}`;
}

function key(random: Random): string {
  return random.chance(0.85) ? random.pick(KEYS) : someText(random);
}

function scalar(random: Random): string {
  const kind = random.next();
  if (kind < 0.5) return random.pick(SCALARS);
  if (kind < 0.65) return String(random.int(-1000, 1_000_000_000) / random.pick([1, 8, 10]));
  if (kind < 0.75) return digits(random);
  return JSON.stringify(random.chance(0.3) ? random.pick(KEYS) : someText(random));
}

function digits(random: Random): string {
  const length = random.chance(0.05) ? 400 : random.int(15, 25);
  return `${random.pick(['', '-'])}${random.int(1, 9)}${String(random.int(0, 9)).repeat(length)}`;
}

function someText(random: Random): string {
  const text = Array.from({ length: random.int(0, 8) }, () => random.pick(TEXT_CHARACTERS)).join('');
  return random.chance(0.02) ? text.repeat(1_000) : text;
}

/** One inside of the other, at times without an end. */
function deep(random: Random): string {
  const levels = random.int(10, 3_000);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"values":', '}'],
    ['[{"a":', '}]'],
  ] as const);
  return open.repeat(levels) + scalar(random) + close.repeat(random.chance(0.8) ? levels : 0);
}
