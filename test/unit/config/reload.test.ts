import { describe, expect, it } from 'vitest';

import { ConfigErrors } from '../../../src/config/config-errors.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { planReload } from '../../../src/config/reload.ts';

const BASE = { oracle: { connectString: 'db:1521/x', user: 'u', password: 'first-secret' } };

function configOf(more: Readonly<Record<string, object | string>>): Config {
  return loadConfig({ files: ['f'], env: {}, readFile: () => JSON.stringify({ ...BASE, ...more }) });
}

describe('planReload', () => {
  it('finds nothing between equal configurations, defaults said or not', () => {
    const running = configOf({});
    const plan = planReload(running, configOf({ log: { level: 'info' }, writer: { retry: { attempts: 3 } } }));
    expect(plan).toEqual({ config: running, applied: {}, needRestart: [] });
  });

  it('applies what it may, old → new, and keeps the rest by name', () => {
    const running = configOf({});
    const wanted = configOf({
      log: { level: 'debug', format: 'text' },
      mqtt: { url: 'mqtt://elsewhere' },
      writer: { batchSize: 250, retry: { factor: 1.5 } },
      backup: { replay: false },
    });
    const { config, applied, needRestart } = planReload(running, wanted);
    expect(applied).toEqual({
      'log.level': '"info" → "debug"',
      'writer.batchSize': '500 → 250',
      'writer.retry.factor': '2 → 1.5',
      'backup.replay': 'true → false',
    });
    expect(needRestart).toEqual(['mqtt.url', 'log.format']);
    expect(config).toEqual({
      ...running,
      log: { ...running.log, level: 'debug' },
      writer: { ...wanted.writer },
      backup: { ...running.backup, replay: false },
    });
    expect(Object.isFrozen(config.writer.retry)).toBe(true);
  });

  it('tells subscriptions apart by topic', () => {
    const before = [{ topic: 'a/+' }, { topic: 'b/+' }, { topic: 'c/+' }];
    const after = [{ topic: 'c/+' }, { topic: 'b/+', plcCode: '{1}' }, { topic: 'd/#' }];
    const running = configOf({ mqtt: { subscriptions: before } });
    const wanted = configOf({ mqtt: { subscriptions: after } });
    const { applied, config } = planReload(running, wanted);
    expect(applied).toEqual({ 'mqtt.subscriptions': 'added d/#; removed a/+; changed b/+' });
    expect(config.mqtt.subscriptions).toEqual(wanted.mqtt.subscriptions);
    const turned = configOf({ mqtt: { subscriptions: before.toReversed() } });
    expect(planReload(running, turned).applied).toEqual({ 'mqtt.subscriptions': 'in another order' });
  });

  it('tells of a new secret without showing either', () => {
    const wanted = configOf({
      oracle: { ...BASE.oracle, password: 'second-secret' },
      http: { token: 'a-long-token-of-32-letters-or-so' },
    });
    const plan = planReload(configOf({}), wanted);
    expect(plan.applied).toEqual({ 'oracle.password': 'changed' });
    expect(plan.config.oracle.password).toBe('second-secret');
    expect(plan.needRestart).toEqual(['http.token']);
    expect(JSON.stringify([plan.applied, plan.needRestart])).not.toMatch(/secret|long-token/);
  });

  it('keeps naming what needs a restart at each reload', () => {
    const wanted = configOf({ bridge: { drainTimeoutMs: 1 }, log: { level: 'warn' } });
    const { config } = planReload(configOf({}), wanted);
    expect(planReload(config, wanted)).toMatchObject({ applied: {}, needRestart: ['bridge.drainTimeoutMs'] });
  });

  it.each([
    [{ buffer: { capacity: 5000 }, writer: { batchSize: 2000 } }, 'buffer.capacity', 'buffer.capacity would need'],
    [
      { tagName: '{tag}', mqtt: { subscriptions: [{ topic: 'a/+', format: 'scalar', tagAddress: '{2}' }] } },
      'mqtt.subscriptions',
      'tagName would need',
    ],
  ])('refuses a mixture that does not go together: %j', (more, path, why) => {
    const running = configOf({ buffer: { capacity: 1000 } });
    const wanted = configOf(more);
    expect(() => planReload(running, wanted)).toThrow(ConfigErrors);
    expect(() => planReload(running, wanted)).toThrow(new RegExp(`^${path}: .*must .*${why} a restart$`));
  });
});
