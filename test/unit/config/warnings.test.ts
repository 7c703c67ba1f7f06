import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../../src/config/load.ts';
import { configWarnings } from '../../../src/config/warnings.ts';

function warningsOf(...subscriptions: readonly object[]): string[] {
  const readFile = (): string => JSON.stringify({ mqtt: { subscriptions } });
  const config = loadConfig({ files: ['a.json'], env: {}, readFile, need: 'any' });
  return configWarnings(config).map(({ message, path }) => `${path}: ${message}`);
}

describe('a configuration that is allowed and hardly meant', () => {
  it.each([
    [
      { topic: '/plc/+/tags', plcCode: '{2}' },
      'mqtt.subscriptions[0]: plcCode "{2}" is the same text for all topics of "/plc/+/tags", so that polling values of ' +
        'several PLCs get one name: the wildcard is level 3, such as "{3}"; the part before the first / is level 1',
    ],
    [{ topic: 'plant/#', plcCode: '{1}' }, 'the wildcard is level 2, such as "{2}"'],
    [
      { topic: '$share/g/plc/+/tags', format: 'scalar', plcCode: '{1}', tagAddress: '{3}' },
      'plcCode "{1}" is the same text',
    ],
    [{ topic: 'plc/*/tags' }, 'mqtt.subscriptions[0].topic: * is a character like any other in MQTT'],
    [{ topic: 'plc/*/tags' }, 'is "plc/+/tags" meant?'],
    [{ topic: 'plc/PLC*' }, '+ stands for one whole level'],
    [{ topic: 'plc/ PLC01/tags' }, '"plc/ PLC01/tags" has a blank in it'],
    [{ topic: '$queue/plc/+/tags' }, '$queue/ is no part of MQTT'],
    [{ topic: '$queue/plc/+/tags' }, 'use "$share/bridges/plc/+/tags"'],
  ])('%j is warned of: %s', (subscription, expected) => {
    expect(warningsOf(subscription).join('\n')).toContain(expected);
  });

  it.each([
    { topic: 'plc/+/tags' },
    { topic: '/plc/+/tags', plcCode: '{3}' },
    { topic: 'plc/PLC01/tags', plcCode: '{2}' },
    { topic: 'plant/#', plcCode: '{2}' },
    { topic: 'plant/#', format: 'scalar', plcCode: '{3}', tagAddress: '{4}' },
    { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
    { topic: 'hall/+/D100', format: 'scalar', plcCode: '{2}', tagAddress: 'D100' },
    { topic: '$share/g/plc/+/tags', plcCode: '{2}' },
  ])('%j is not', (subscription) => {
    expect(warningsOf(subscription)).toEqual([]);
  });
});
