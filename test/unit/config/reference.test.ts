import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { SETTINGS } from '../../../src/config/convict.ts';
import { parseJson } from '../../../src/config/json-reader.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { REFERENCE_FILES } from '../../../src/config/reference/reference.ts';
import { LOG_LEVELS } from '../../../src/core/log-level.ts';

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

const checkedIn = (file: string): string => readFileSync(new URL(`../../../config/${file}`, import.meta.url), 'utf8');

describe('the configuration reference', () => {
  it.each(REFERENCE_FILES)('in config/$file is what npm run reference writes', ({ file, generate }) => {
    expect(checkedIn(file)).toBe(generate());
  });

  it('has an example that loads and holds every key', () => {
    const config = loadConfig({ files: ['example'], env: {}, readFile: () => checkedIn('bridge.example.json') });
    expect(config.oracle.user).toBe('BRIDGE');
    const example = parseJson(checkedIn('bridge.example.json'));
    for (const path of SETTINGS.keys()) {
      const value = path.split('.').reduce((node, key) => (node as Record<string, unknown>)[key], example);
      expect([path, value]).not.toEqual([path, undefined]);
    }
  });

  it('names every key and its environment variable', () => {
    const markdown = checkedIn('REFERENCE.md');
    for (const { path, env } of SETTINGS.values()) {
      expect(markdown).toContain(`\`${path}\``);
      expect(markdown).toContain(`\`${env}\``);
    }
  });

  it('has a JSON Schema that refuses unknown keys in every section', () => {
    const objects: object[] = [];
    JSON.parse(checkedIn('bridge.schema.json'), (_key, node: unknown) => {
      if (typeof node === 'object' && node !== null && 'properties' in node) objects.push(node);
      return node;
    });
    expect(objects.length).toBeGreaterThan(10);
    for (const node of objects) expect(node).toHaveProperty('additionalProperties', false);
  });

  it('has a sentence for every key, and an environment name that no other key has', () => {
    const settings = [...SETTINGS.values()];
    for (const { path, doc } of settings) expect([path, /^.{15,}\.$/.test(doc)]).toEqual([path, true]);
    expect(new Set(settings.map(({ env }) => env)).size).toBe(settings.length);
    expect(SETTINGS.get('oracle.pool.min')?.env).toBe('BRIDGE_ORACLE_POOL_MIN');
    expect(SETTINGS.get('mqtt.clientId')?.env).toBe('BRIDGE_MQTT_CLIENTID');
  });

  it('says of every key whether a reload applies it; Bridge.reload must know those that it does', () => {
    const applied = [...SETTINGS.values()].filter(({ appliedOnReload }) => appliedOnReload === true);
    expect(applied.map(({ path }) => path)).toEqual([
      'mqtt.subscriptions',
      'writer.batchSize',
      'writer.maxBatchSize',
      'writer.intervalMs',
      'writer.retry.attempts',
      'writer.retry.initialDelayMs',
      'writer.retry.factor',
      'oracle.password',
      'oracle.walletPassword',
      'backup.replay',
      'log.level',
    ]);
    const entries = checkedIn('REFERENCE.md').split('\n### `').slice(1);
    expect(entries).toHaveLength(SETTINGS.size);
    for (const entry of entries) {
      const isApplied = applied.some(({ path }) => entry.startsWith(`${path}\``));
      expect(entry).toContain(isApplied ? '\n- on reload: applied\n' : '\n- on reload: needs a restart\n');
    }
  });

  it('has a JSON Schema that tells an editor all about each key, and lets a file name it', () => {
    const schema = JSON.parse(checkedIn('bridge.schema.json')) as SchemaNode;
    expect(schema.properties?.['$schema']).toEqual({ type: 'string' });
    for (const { path, choices, default: value, doc } of SETTINGS.values()) {
      const node = path.split('.').reduce<SchemaNode | undefined>((parent, key) => parent?.properties?.[key], schema);
      expect(node?.description).toContain(doc);
      expect(node).toMatchObject({ default: value, ...(choices === undefined ? {} : { enum: choices }) });
    }
    expect(parseJson(checkedIn('bridge.example.json'))).toMatchObject({ $schema: './bridge.schema.json' });
  });

  it('knows the log levels that the logger knows', () => {
    expect(SETTINGS.get('log.level')?.choices).toEqual(LOG_LEVELS);
  });
});
