import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { EXIT_MEANINGS } from '../../../src/cli/exit-codes.ts';
import { STEPS } from '../../../src/core/steps.ts';
import { BROKER_KINDS, SETTING_NAMES, type BrokerKind } from '../../../src/mqtt/brokers/broker-kinds.ts';
import { settingOf } from '../../../src/mqtt/brokers/broker-recognition.ts';
import { Metrics } from '../../../src/ops/metrics.ts';
import { CONNECT_RULES } from '../../../src/oracle/connect-remedies.ts';
import { toDatabaseError } from '../../../src/oracle/ora-errors.ts';
import { FORMATS } from '../../../src/payload/formats.ts';
import { madeUpSources } from '../ops/made-up-sources.ts';
import { decodeOne } from '../payload/decode-rows.ts';
import { codeSpans, PAGES, readPage, ROOT, section, tableRows } from './pages.ts';

describe('docs/metrics.md', () => {
  it('has each metric of the bridge, with its labels and its type, and no other', async () => {
    const disk = { directories: ['backup.dir'], freeBytes: 1, totalBytes: 2, state: 'low', fullInSeconds: 3 } as const;
    const metrics = new Metrics({ ...madeUpSources(), disks: () => [disk] });
    metrics.countOracleError('ORA-00942');
    metrics.observeBatch(1, 1, 1);
    const text = await metrics.text();
    const types = [...text.matchAll(/^# TYPE (bridge_\w+) (\w+)$/gm)];
    const expected = types.map(([, name, type]) => {
      const series = type === 'histogram' ? `${name!}_count` : name!;
      const labels = new RegExp(`^${series}\\{(.*)\\} `, 'm').exec(text)?.[1] ?? '';
      const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label!);
      return `${name}${names.length === 0 ? '' : `{${names.join(',')}}`} ${type}`;
    });
    const rows = tableRows(section(readPage('docs/metrics.md'), '## Prometheus'));
    expect(rows.map(([name, type]) => `${codeSpans(name!)[0]} ${type}`).sort()).toEqual(expected.sort());
  });
});

const SECTIONS = {
  configuration: '### Wrong configuration or rights',
  resource: '### Short of something',
  refused: '### Refused rows',
  connection: '### Not reachable, or the connection broke',
  mistake: '### Bugs',
} as const;

/** Of none: a class that can't be told from an unknown code. */
const MADE_UP = new Set(['ORA-UNKNOWN']);

/** A range, of which the page names the ends. */
const APPLICATION_ERROR = /^ORA-20\d{3}$/;

/** ORA numbers have five digits, NJS numbers three. */
const ALL_CODES = [
  ...Array.from({ length: 100_000 }, (_, n) => `ORA-${String(n).padStart(5, '0')}`),
  ...Array.from({ length: 1000 }, (_, n) => `NJS-${String(n).padStart(3, '0')}`),
].filter((code) => classify(code).kind !== 'passing' && !APPLICATION_ERROR.test(code));

function classify(code: string): { readonly kind: string; readonly remedy: string } {
  return toDatabaseError(Object.assign(new Error(`${code}: x`), { code }), false);
}

describe('docs/troubleshooting.md', () => {
  const page = readPage('docs/troubleshooting.md');

  it.each(Object.entries(SECTIONS))('lists the codes of kind %s, and no other', (kind, heading) => {
    const expected = ALL_CODES.filter((code) => classify(code).kind === kind);
    const listed = codeSpans(section(page, heading)).filter(
      (code) => /^(?:ORA|NJS)-/.test(code) && !MADE_UP.has(code) && !APPLICATION_ERROR.test(code),
    );
    expect([...new Set(listed)].sort()).toEqual(expected.sort());
  });

  it('has the remedy beside the code', () => {
    const lines = [SECTIONS.configuration, SECTIONS.resource].flatMap((heading) =>
      section(page, heading).split(/\n(?=\|)|\n\n/),
    );
    const codes = lines.flatMap((line) => codeSpans(line).map((code) => ({ code, line: line.replaceAll('\n', ' ') })));
    const known = codes.filter(({ code }) => classify(code).remedy !== '');
    expect(known.length).toBeGreaterThan(50);
    expect(known.filter(({ code, line }) => !line.includes(classify(code).remedy))).toEqual([]);
  });

  it('has what a code means at the log-on, in the order of the rules', () => {
    const rows = tableRows(section(page, '### At the log-on'));
    expect(rows.map(([codes, remedy]) => [codeSpans(codes!), remedy])).toEqual(
      CONNECT_RULES.map(({ codes, remedy }) => [codes, remedy]),
    );
  });

  it('has each exit code with its meaning', () => {
    const rows = tableRows(section(page, '### It does not start, or ends'));
    expect(rows.map(([code, meaning]) => [code, meaning])).toEqual(Object.entries(EXIT_MEANINGS));
  });
});

describe('the codes of the bridge itself', () => {
  it('are all explained', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
      .join('\n');
    const payload = readdirSync(join(ROOT, 'src/payload'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src/payload', name), 'utf8'));
    const reasons = payload.join('\n').matchAll(/^ {2}([A-Z][A-Z\d_]+): \(/gm);
    const literals = sources.matchAll(/\bcode: '([A-Z_]+)'/g);
    const errors = sources.matchAll(/new DatabaseError\(\s*'\w+',\s*'([A-Z_]+)'/g);
    const codes = [...reasons, ...literals, ...errors].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(20);
    const tables = tableRows(readPage('docs/payloads.md') + readPage('docs/troubleshooting.md'));
    const explained = new Set(tables.flatMap(([code]) => codeSpans(code!)));
    // It stands for a reason that is not there.
    explained.add('UNKNOWN');
    expect([...new Set(codes)].filter((code) => !explained.has(code))).toEqual([]);
  });
});

describe('the table of payload formats', () => {
  it('has each format in its order, what a message is in it, and where it is described', () => {
    const page = readPage('docs/payloads.md');
    const rows = tableRows(page.slice(0, page.indexOf('\n## ')));
    expect(rows.map(([name, doc]) => [codeSpans(name!)[0], doc])).toEqual(FORMATS.map(({ doc, name }) => [name, doc]));
    for (const [name] of rows) expect(name).toMatch(/^\[`\w+`\]\([\w.]*#?[\w-]*\)$/);
  });
});

describe('docs/payloads.md', () => {
  const rows = tableRows(section(readPage('docs/payloads.md'), '## Values'));

  it.each(rows)('reads %s as %s and %s', (payload, number, text) => {
    const json = codeSpans(payload)[0]!;
    const shown = [Number.isNaN(Number(number)) ? Number.NaN : Number(number), text === '' ? null : text];
    const polling = decodeOne(`{"plc_code":"P","tag_values":{"T":${json}}}`).rows;
    const scalar = decodeOne(json, 'plant/P/T').rows;
    for (const [row, ...more] of [polling, scalar]) {
      expect(more).toEqual([]);
      expect(row).toMatchObject({ name: 'P.T', problem: undefined });
      expect([row!.number, row!.text]).toEqual(shown);
    }
  });

  it('has rows to try', () => {
    expect(rows.length).toBeGreaterThan(5);
  });
});

describe('docs/broker-settings.md', () => {
  const page = readPage('docs/broker-settings.md');
  const wanted = { sessionSeconds: 604_800, window: 1000, packetBytes: 65_536 + 1024 };
  const kinds: readonly (BrokerKind | undefined)[] = [...BROKER_KINDS, undefined];

  it.each(kinds.map((kind) => [kind?.name ?? 'Any other', kind] as const))(
    'has the settings of %s',
    (heading, kind) => {
      const rows = tableRows(section(page, `## ${heading}`)).map(([, setting]) => setting!);
      const said = rows.map((row) => row.replaceAll('&lt;', '<').replaceAll('&gt;', '>'));
      const prefix = kind === undefined ? '' : `on ${kind.name}: `;
      expect(said.map((setting) => prefix + setting)).toEqual(
        SETTING_NAMES.map((name) => settingOf(kind, name, wanted)),
      );
      const dots = kind?.dots === undefined ? [] : [kind.dots];
      expect(codeSpans(section(page, `## ${heading}`))).toEqual(dots);
    },
  );

  it('has all brokers, and no other', () => {
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    const names = BROKER_KINDS.map(({ name }) => name);
    expect(headings).toEqual([...names, 'Any other', 'What check --connect tries']);
  });

  it('leaves no figure out', () => {
    expect(kinds.flatMap((kind) => SETTING_NAMES.map((name) => settingOf(kind, name, wanted))).join()).not.toMatch(
      /\{(?:days|seconds|millis|window|bytes)\}/,
    );
  });
});

/** As GitHub makes the names of headings. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.trim().toLowerCase());
  return new Set(headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')));
}

describe('docs/design.md', () => {
  it('says of each step, in its order, what a crash leaves', () => {
    const rows = tableRows(section(readPage('docs/design.md'), '### What a crash leaves'));
    expect(rows.map(([step]) => codeSpans(step!)[0])).toEqual(STEPS);
    expect(rows.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
  });
});

describe('links', () => {
  it.each(PAGES)('of %s lead somewhere', (page) => {
    const text = readPage(page).replaceAll(/^( *)```[\s\S]*?^\1```/gm, '');
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchors(readPage(target)).has(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});
