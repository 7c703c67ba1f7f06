import { describe, expect, it } from 'vitest';

import { BROKER_KINDS, SETTING_NAMES, type Traits } from '../../../src/mqtt/brokers/broker-kinds.ts';
import { kindNamed, recognise, settingOf, traitsOf } from '../../../src/mqtt/brokers/broker-recognition.ts';
import { NO_TOPICS, type Manners } from '../../../src/mqtt/trial/manners.ts';

const NOTHING: Manners = {
  refusal: '',
  topics: NO_TOPICS,
  retained: undefined,
  session: undefined,
  qos2: undefined,
  large: undefined,
};

/** As they were measured of the real ones. */
const MEASURED: Readonly<Record<string, Traits>> = {
  HiveMQ: traits({ window: '50', ids: 'reused', again: 'same ids, flagged' }),
  RabbitMQ: traits({ window: '10', ids: 'restarting', again: 'new ids, flagged', dot: 'changed', plusWithDot: 'no' }),
  'ActiveMQ Artemis': traits({ window: '60', ids: 'counting', again: 'new ids, not flagged', plusWithDot: 'no' }),
  Moquette: traits({ window: '10', ids: 'restarting', again: 'same ids, flagged', retainFlag: 'no' }),
  aedes: traits({ window: '60', ids: 'restarting', again: 'same ids, not flagged' }),
};

function traits(some: Partial<Traits>): Traits {
  return { window: '60', ids: 'counting', again: '?', dot: 'kept', plusWithDot: 'yes', retainFlag: 'yes', ...some };
}

describe('recognise', () => {
  it.each(Object.entries(MEASURED))('knows %s by its manners', (name, measured) => {
    const { kind, isGuess } = recognise('', measured);
    expect([kind?.name, isGuess]).toEqual([name, true]);
  });

  it.each([
    ['mosquitto version 2.0.11', 'mosquitto'],
    ['EMQX 5.8.4', 'EMQX'],
    ['EMQX Enterprise 5.8.4', 'EMQX'],
    ['2.7.9', 'mochi'],
    ['FlashMQ version 1.26', undefined],
    ['', undefined],
  ])('takes a broker that calls itself %j for %s', (software, name) => {
    expect(kindNamed(software)?.name).toBe(name);
  });

  it('believes what a broker calls itself rather than what it looks like', () => {
    expect(recognise('mosquitto version 2.0.11', MEASURED['HiveMQ']!)).toMatchObject({
      kind: { name: 'mosquitto' },
      isGuess: false,
    });
    expect(recognise('FlashMQ version 1.26', MEASURED['HiveMQ']!).kind).toBeUndefined();
  });

  it('knows none where nothing was found out, or all is as it should be', () => {
    expect(recognise('', traitsOf(NOTHING)).kind).toBeUndefined();
    expect(recognise('', traits({ again: 'same ids, flagged' })).kind).toBeUndefined();
  });
});

describe('settingOf', () => {
  const wanted = { sessionSeconds: 90_000, window: 77, packetBytes: 4321 };

  it('fills in what the configuration asks for, and names the broker', () => {
    expect(settingOf(kindNamed('mosquitto'), 'session', wanted)).toBe(
      'on mosquitto: persistent_client_expiration not set, or at least 2d',
    );
    expect(settingOf(kindNamed('rabbitmq'), 'session', wanted)).toMatch(/= 90000, .*= 90000000 /);
    expect(settingOf(kindNamed('mosquitto'), 'window', wanted)).toBe('on mosquitto: max_inflight_messages 77');
  });

  it('names no broker where none is known', () => {
    const texts = SETTING_NAMES.map((name) => settingOf(undefined, name, wanted)).join(' ');
    for (const { name } of BROKER_KINDS) expect(texts).not.toContain(name);
    expect(texts).toContain('4321');
  });
});
