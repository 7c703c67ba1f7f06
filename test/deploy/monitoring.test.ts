import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { Metrics } from '../../src/ops/metrics.ts';
import { madeUpSources } from '../unit/ops/made-up-sources.ts';
import { missingTool, ROOT, run } from './tools.ts';

const DIRECTORY = join(ROOT, 'deploy/prometheus');
const read = (path: string): string => readFileSync(join(ROOT, 'deploy', path), 'utf8');
/** Of Prometheus itself. */
const OWN = ['up'];

/** Names as a scrape has them, with labels. */
async function scrape(): Promise<Map<string, Set<string>>> {
  const disk = { directories: ['backup.dir'], freeBytes: 1, totalBytes: 2, state: 'low', fullInSeconds: 3 } as const;
  const metrics = new Metrics({ ...madeUpSources(), disks: () => [disk] });
  metrics.countOracleError('ORA-00942');
  metrics.observeBatch(1, 1, 1);
  const found = new Map<string, Set<string>>(OWN.map((name) => [name, new Set()]));
  for (const [, name, labels = ''] of (await metrics.text()).matchAll(/^([a-z_]\w*)(?:\{(.*)\})? /gm)) {
    const known = found.get(name!) ?? new Set();
    for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label!);
    found.set(name!, known);
  }
  return found;
}

/** `bridge_id` is a label. */
const namesIn = (expressions: readonly string[]): string[] =>
  [...new Set(expressions.join('\n').match(/\b(?:bridge|process|nodejs)_(?!id\b)\w+/g))].sort();

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(read('grafana/dashboard.json')) as {
  readonly uid: string;
  readonly panels: readonly Panel[];
};

describe('alerts and dashboard', () => {
  let metrics: Map<string, Set<string>>;

  beforeAll(async () => {
    metrics = await scrape();
  });

  it('name only metrics that the bridge has', () => {
    const rules = [...read('prometheus/alerts.yml').matchAll(/^ +expr: (.*)$/gm)].map(([, expression]) => expression!);
    expect(rules.length).toBeGreaterThan(10);
    const tests = [...read('prometheus/alerts.test.yml').matchAll(/series: '(.*)', values/g)].map(
      ([, series]) => series!,
    );
    const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    for (const expressions of [rules, tests, shown]) {
      const names = namesIn(expressions);
      expect(names.length).toBeGreaterThan(8);
      expect(names.filter((name) => !metrics.has(name))).toEqual([]);
    }
  });

  it('shows every metric of the bridge', () => {
    const shown = namesIn(dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
    const base = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '');
    const families = new Set(shown.map(base));
    const ours = [...metrics.keys()].filter((name) => name.startsWith('bridge_'));
    // Their number says little beside that of the files.
    const left = new Set(['bridge_journal_messages']);
    expect(ours.filter((name) => !families.has(base(name)) && !left.has(name))).toEqual([]);
  });

  it('puts labels in legends that are there', () => {
    for (const { targets } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
        const there = namesIn([expr]).map((name) => metrics.get(name) ?? new Set<string>());
        const unknown = labels.filter((label) => label !== 'instance' && !there.some((known) => known.has(label)));
        expect({ expr, unknown }).toEqual({ expr, unknown: [] });
      }
    }
  });

  it('has panels that lie beside each other', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('tests every alert', () => {
    const alerts = [...read('prometheus/alerts.yml').matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
    const tests = read('prometheus/alerts.test.yml');
    expect(alerts.filter((name) => !tests.includes(`alertname="${name}"`))).toEqual([]);
  });
});

const missing = missingTool('promtool');

describe.skipIf(missing !== undefined)(`promtool${missing === undefined ? '' : ` (${missing})`}`, () => {
  it.each([
    ['check', 'rules', 'alerts.yml'],
    ['check', 'config', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ])('%s %s %s', async (...args) => {
    const { exitCode, stdout, stderr } = await run('promtool', args, { cwd: DIRECTORY });
    expect({ exitCode, said: stdout + stderr }).toEqual({ exitCode: 0, said: expect.stringContaining('SUCCESS') });
  });
});
