import { describe, expect, it } from 'vitest';

import { PassingMemory } from '../../../../src/payload/passing-memory.ts';
import { verifiedDeath } from '../../../../src/payload/sparkplug/commands.ts';
import type { NodeCommands } from '../../../../src/payload/sparkplug/node-commands.ts';
import { sparkplugPayload, type MetricParts, type PayloadParts } from '../../../support/sparkplug-encoder.ts';
import { Listener, RECEIVED_AT_MS, type SparkplugRow } from './sparkplug-rows.ts';

const TIME_MS = 1_700_000_000_000;
const HUGE = 13_680_225_828_817_153_340n;

/** Notes what is asked for. */
class Asked implements NodeCommands {
  readonly all: string[] = [];
  wantBirth: NodeCommands['wantBirth'] = ({ node }, _why, afterMs) =>
    void this.all.push(`birth of ${node} after ${afterMs}`);
  satisfied: NodeCommands['satisfied'] = ({ node }) => void this.all.push(`${node} satisfied`);
  born: NodeCommands['born'] = ({ node }) => void this.all.push(`${node} born`);
  doubtDeath: NodeCommands['doubtDeath'] = ({ node }, no) => void this.all.push(`${node} dead since ${no}?`);
  lives: NodeCommands['lives'] = ({ node }) => void this.all.push(`${node} lives`);

  /** What was asked since this was called last. */
  get since(): readonly string[] {
    return this.all.splice(0);
  }
}

function birth(metrics: readonly MetricParts[], parts: PayloadParts & { readonly bdSeq?: number } = {}): Buffer {
  const { bdSeq, ...others } = parts;
  const own = bdSeq === undefined ? [] : [{ name: 'bdSeq', type: 8, long: bdSeq }];
  return sparkplugPayload({ timeMs: TIME_MS, seq: 0, ...others, metrics: [...own, ...metrics] });
}

function data(seq: number, ...metrics: readonly MetricParts[]): Buffer {
  return sparkplugPayload({ timeMs: TIME_MS, seq, metrics });
}

function death(bdSeq?: number): Buffer {
  const metrics = bdSeq === undefined ? [] : [{ name: 'bdSeq', type: 8, long: bdSeq }];
  return sparkplugPayload({ timeMs: 1, metrics });
}

const row = (name: string, number: number | null, quality = 'GOOD', timeMs = TIME_MS): SparkplugRow => [
  name,
  number,
  null,
  timeMs,
  quality,
];
const topic = (type: string, rest = 'N'): string => `spBv1.0/G/${type}/${rest}`;

describe('an alias', () => {
  it.each([0, 9, HUGE])('%s has the name and the type that the birth gives it', (alias) => {
    const listener = new Listener();
    expect(listener.hear(topic('NBIRTH'), birth([{ name: 'i8', alias, type: 1, int: 255 }]))).toEqual([
      row('G/N.i8', -1),
    ]);
    expect(listener.hear(topic('NDATA'), data(1, { alias, int: 254 }))).toEqual([row('G/N.i8', -2)]);
  });

  it('that no birth has given makes the message undecodable, and asks for births', () => {
    const asked = new Asked();
    const listener = new Listener({ commands: asked });
    listener.hear(topic('NBIRTH'), birth([{ name: 'a', alias: HUGE, type: 3, int: 1 }]));
    expect(asked.since).toEqual(['N born']);
    expect(listener.hear(topic('NDATA'), data(1, { alias: HUGE + 1n, int: 1 }))).toBe('SPARKPLUG_UNKNOWN_METRIC');
    expect(asked.since).toEqual(['birth of N after 0']);
  });

  it('means something else after another birth of the node, and nothing at its devices', () => {
    const listener = new Listener();
    listener.hear(topic('NBIRTH'), birth([{ name: 'a', alias: 1, type: 3, int: 1 }]));
    listener.hear(topic('DBIRTH', 'N/D'), birth([{ name: 'd', alias: 2, type: 3, int: 1 }], { seq: 1 }));
    expect(listener.hear(topic('DDATA', 'N/D'), data(2, { alias: 2, int: 5 }))).toEqual([row('G/N/D.d', 5)]);
    listener.hear(topic('NBIRTH'), birth([{ name: 'b', alias: 1, type: 10, double: 1 }]));
    expect(listener.hear(topic('NDATA'), data(1, { alias: 1, double: 2.5 }))).toEqual([row('G/N.b', 2.5)]);
    expect(listener.hear(topic('DDATA', 'N/D'), data(2, { alias: 2, int: 5 }))).toBe('SPARKPLUG_UNKNOWN_METRIC');
  });

  it('is of one node, and of one device', () => {
    const listener = new Listener();
    for (const name of ['N', 'M'])
      listener.hear(topic('NBIRTH', name), birth([{ name: `of${name}`, alias: 1, type: 3, int: 1 }]));
    listener.hear(topic('DBIRTH', 'N/D'), birth([{ name: 'd', alias: 2, type: 3, int: 1 }], { seq: 1 }));
    listener.hear(topic('DBIRTH', 'N/E'), birth([{ name: 'e', alias: 3, type: 3, int: 1 }], { seq: 2 }));
    expect(listener.hear(topic('NDATA', 'M'), data(1, { alias: 1, int: 1 }))).toEqual([row('G/M.ofM', 1)]);
    expect(listener.hear(topic('NDATA'), data(3, { alias: 1, int: 1 }))).toEqual([row('G/N.ofN', 1)]);
    expect(listener.hear(topic('DDATA', 'N/E'), data(4, { alias: 2, int: 1 }))).toBe('SPARKPLUG_UNKNOWN_METRIC');
  });
});

describe('births that were told to an earlier process', () => {
  it('hold: types, huge aliases, several aliases of one name, templates', () => {
    const first = new Listener();
    const template = { members: [{ name: 'rpm', type: 2, int: 65_531 }] };
    const metrics = [
      { name: 'a', alias: 0, type: 1, int: 1 },
      { name: 'a', alias: HUGE, type: 1, int: 1 },
      { name: 'M', alias: 7, type: 19, template },
    ];
    first.hear(topic('NBIRTH'), birth(metrics, { bdSeq: 1 }));
    first.hear(topic('DBIRTH', 'N/D'), birth([{ name: 'd', alias: 1, type: 5, int: 1 }], { seq: 1 }));
    const memory = new PassingMemory();
    for (const key of first.memory.keys()) memory.note(key, 1, JSON.parse(JSON.stringify(first.memory.get(key))));
    const next = new Listener({ memory, firstNumber: 3 });
    const member = { alias: 7, template: { members: [{ name: 'rpm', int: 65_530 }] } };
    const sent = data(2, { alias: 0, int: 255 }, { alias: HUGE, int: 254 }, member);
    expect(next.hear(topic('NDATA'), sent)).toEqual([row('G/N.a', -1), row('G/N.a', -2), row('G/N.M/rpm', -6)]);
    expect(next.hear(topic('DDATA', 'N/D'), data(3, { alias: 1, int: 255 }))).toEqual([row('G/N/D.d', 255)]);
  });
});

describe('a name', () => {
  it('that no birth has declared is taken where there is a type', () => {
    expect(new Listener().hear(topic('DDATA', 'N/D'), data(5, { name: 'neg', type: 4, long: -6n }))).toEqual([
      row('G/N/D.neg', -6),
    ]);
  });

  it('without a type and a birth can not be read', () => {
    expect(new Listener().hear(topic('NDATA'), data(5, { name: 'i', int: 1 }))).toBe('SPARKPLUG_UNKNOWN_METRIC');
  });

  it('of the node’s own affairs makes no row', () => {
    const metrics = [
      { name: 'Node Control/Rebirth', type: 11, boolean: false },
      { name: 'a', type: 3, int: 1 },
    ];
    expect(new Listener().hear(topic('NBIRTH'), birth(metrics, { bdSeq: 1 }))).toEqual([row('G/N.a', 1)]);
  });

  it('goes with the subscription’s own code, or with group, node and device', () => {
    const listener = new Listener({ plcCode: '{4}-{5}' });
    expect(listener.hear(topic('DDATA', 'N/D'), data(5, { name: 'a', type: 3, int: 1 }))).toEqual([row('N-D.a', 1)]);
  });
});

describe('a sequence number', () => {
  function listen(): { asked: Asked; hear: (seq: number) => readonly string[] } {
    const asked = new Asked();
    const listener = new Listener({ commands: asked });
    listener.hear(topic('NBIRTH'), birth([{ name: 'a', alias: 0, type: 3, int: 1 }], { seq: 9 }));
    const first = asked.since;
    expect(first).toEqual(['N born']);
    listener.hear(topic('NDATA'), data(10, { alias: 0, int: 1 }));
    asked.since.slice();
    return {
      asked,
      hear: (seq) => {
        expect(listener.hear(topic('NDATA'), data(seq, { alias: 0, int: seq }))).toEqual([row('G/N.a', seq)]);
        return asked.since;
      },
    };
  }

  it('is counted from whatever the birth has, round again at 255', () => {
    const { hear } = listen();
    const asked = Array.from({ length: 300 }, (_, i) => hear((11 + i) % 256)).flat();
    expect(asked).toEqual([]);
  });

  it('that leaves a gap asks for births after a while, once more when there is another, and keeps the data', () => {
    const { hear } = listen();
    expect(hear(13)).toEqual(['birth of N after 5000']);
    expect(hear(14)).toEqual([]);
    expect(hear(16)).toEqual(['birth of N after 5000']);
  });

  it('that was missing and comes late fills the gap', () => {
    const { hear } = listen();
    expect(hear(13)).toEqual(['birth of N after 5000']);
    expect(hear(12)).toEqual([]);
    expect(hear(11)).toEqual(['N satisfied']);
    expect(hear(14)).toEqual([]);
  });
});

describe('a retained birth', () => {
  const metrics = [{ name: 'a', alias: 1, type: 1, int: 255 }];

  it('gives types, not values', () => {
    const listener = new Listener();
    expect(listener.hear(topic('DBIRTH', 'N/D'), birth(metrics), true)).toEqual([]);
    expect(listener.hear(topic('DDATA', 'N/D'), data(5, { alias: 1, int: 254 }))).toEqual([row('G/N/D.a', -2)]);
  });

  it('takes nothing from what a live one has told since, and does not make the node live', () => {
    const asked = new Asked();
    const listener = new Listener({ commands: asked });
    listener.hear(topic('NBIRTH'), birth([{ name: 'b', alias: 1, type: 3, int: 1 }]));
    listener.hear(topic('NBIRTH'), birth(metrics, { timeMs: TIME_MS - 1 }), true);
    expect(listener.hear(topic('NDATA'), data(1, { alias: 1, int: 5 }))).toEqual([row('G/N.b', 5)]);
    expect(asked.since).not.toContain('N lives');
  });

  it('that is younger is taken; an empty one clears, and is none', () => {
    const listener = new Listener();
    listener.hear(topic('NBIRTH'), birth([{ name: 'b', alias: 1, type: 3, int: 1 }]));
    listener.hear(topic('NBIRTH'), birth(metrics, { timeMs: TIME_MS + 1 }), true);
    expect(listener.hear(topic('NBIRTH'), Buffer.alloc(0), true)).toBe('skipped');
    expect(listener.hear(topic('NDATA'), data(1, { alias: 1, int: 254 }))).toEqual([row('G/N.a', -2)]);
  });
});

describe('a death', () => {
  const metrics = [
    { name: 'a', alias: 1, type: 3, int: 1 },
    { name: 'Node Control/Rebirth', type: 11, boolean: false },
  ];
  const stale = (name: string): SparkplugRow => row(name, null, 'STALE', RECEIVED_AT_MS);

  function born(options = {}): { asked: Asked; listener: Listener } {
    const asked = new Asked();
    const listener = new Listener({ commands: asked, options: { staleRows: true, ...options } });
    listener.hear(topic('NBIRTH'), birth(metrics, { bdSeq: 1 }));
    listener.hear(topic('DBIRTH', 'N/D'), birth([{ name: 'd', type: 3, int: 1 }], { seq: 1 }));
    asked.since.slice();
    return { asked, listener };
  }

  it('with the bdSeq of the birth makes all metrics of the node and its devices stale, at the time of receipt', () => {
    const { asked, listener } = born();
    expect(listener.hear(topic('NDEATH'), death(1))).toEqual([stale('G/N.a'), stale('G/N/D.d')]);
    expect(asked.since).toEqual([]);
  });

  it('makes no rows where none are wanted', () => {
    expect(born({ staleRows: false }).listener.hear(topic('NDEATH'), death(1))).toEqual([]);
  });

  it.each([[0], [2], [undefined]])(
    'with bdSeq %s is doubted: births are asked for, and nothing is stale yet',
    (bdSeq) => {
      const { asked, listener } = born();
      expect(listener.hear(topic('NDEATH'), death(bdSeq))).toEqual([]);
      expect(asked.since).toEqual(['birth of N after 0', 'N dead since 3?']);
      expect(listener.hear(topic('NDEATH'), verifiedDeath(3))).toEqual([stale('G/N.a'), stale('G/N/D.d')]);
    },
  );

  it('that was doubted is none when the node is heard of again', () => {
    const { asked, listener } = born();
    listener.hear(topic('NDEATH'), death(0));
    asked.since.slice();
    listener.hear(topic('NDATA'), data(2, { alias: 1, int: 1 }));
    expect(asked.since).toEqual(['N lives']);
    expect(listener.hear(topic('NDEATH'), verifiedDeath(3))).toEqual([]);
  });

  it('in doubt is so for the next process too', () => {
    const { listener } = born();
    listener.hear(topic('NDEATH'), death(0));
    const asked = new Asked();
    const next = new Listener({
      memory: listener.memory,
      commands: asked,
      options: { staleRows: true },
      firstNumber: 4,
    });
    next.decoder.resume(3);
    expect(asked.since).toEqual(['N dead since 3?']);
    expect(next.hear(topic('NDEATH'), verifiedDeath(3))).toEqual([stale('G/N.a'), stale('G/N/D.d')]);
  });

  it('and a birth that the journal gives again leave births to be asked for that no process listened to', () => {
    const asked = new Asked();
    const next = new Listener({ commands: asked });
    next.decoder.resume(2);
    next.hear(topic('NBIRTH'), birth([{ name: 'a', alias: 1, type: 3, int: 1 }], { bdSeq: 1 }));
    next.hear(topic('NDATA'), data(1, { alias: 1, int: 2 }));
    const before = asked.since.filter((each) => each.startsWith('birth'));
    next.hear(topic('NDATA'), data(2, { alias: 1, int: 3 }));
    next.hear(topic('NDATA'), data(3, { alias: 1, int: 4 }));
    expect([before, asked.since.filter((each) => each.startsWith('birth'))]).toEqual([[], ['birth of N after 0']]);
  });

  it('of a device is of the device alone, with or without a number', () => {
    const { listener } = born();
    expect(listener.hear(topic('DDEATH', 'N/D'), death(2))).toEqual([stale('G/N/D.d')]);
  });

  it('of an unknown node, and a retained one, is none', () => {
    const { listener } = born();
    expect(listener.hear(topic('NDEATH', 'X'), death(1))).toEqual([]);
    expect(listener.hear(topic('NDEATH'), death(1), true)).toEqual([]);
  });

  it('names the devices by the subscription’s own code', () => {
    const listener = new Listener({ options: { staleRows: true }, plcCode: '{4}/{5}' });
    listener.hear(topic('NBIRTH'), birth([], { bdSeq: 1 }));
    listener.hear(topic('DBIRTH', 'N/D'), birth([{ name: 'd', type: 3, int: 1 }], { seq: 1 }));
    expect(listener.hear(topic('NDEATH'), death(1))).toEqual([stale('N/D.d')]);
  });
});

describe('what is no message of an edge node', () => {
  it.each(['spBv1.0/STATE/host', 'spBv1.0/G/STATE/host', 'STATE/host'])('has no rows: %s', (state) => {
    expect(new Listener().hear(state, Buffer.from('OFFLINE'))).toEqual([]);
    expect(new Listener().hear(state, Buffer.from('{"online":true,"timestamp":1}'))).toEqual([]);
  });

  it.each(['NCMD/N', 'DCMD/N/D'])('has no rows: a command, %s', (rest) => {
    expect(new Listener().hear(`spBv1.0/G/${rest}`, data(1, { name: 'a', type: 3, int: 1 }))).toEqual([]);
  });

  it.each([
    'spAv1.0/G/NDATA/N',
    'spBv1.0/G/NDATA',
    'spBv1.0/G/NDATA/N/D',
    'spBv1.0/G/DDATA/N',
    'spBv1.0/G/X/N',
    'spBv1.0//NDATA/N',
  ])('is undecodable: %s', (other) => {
    expect(new Listener().hear(other, data(1, { name: 'a', type: 3, int: 1 }))).toBe('SPARKPLUG_TOPIC');
  });
});

describe('a message out of its turn', () => {
  it('is read with the births that are known, and tells nothing', () => {
    const asked = new Asked();
    const listener = new Listener({ commands: asked });
    const newer = birth([{ name: 'b', alias: 1, type: 3, int: 2 }]);
    listener.hear(topic('NBIRTH'), birth([{ name: 'a', alias: 1, type: 3, int: 1 }]));
    asked.since.slice();
    expect(listener.hearAside(topic('NBIRTH'), newer)).toEqual([row('G/N.b', 2)]);
    expect(listener.hearAside(topic('NDATA'), data(77, { alias: 1, int: 1 }))).toEqual([row('G/N.a', 1)]);
    expect(listener.hearAside(topic('NDATA'), data(77, { alias: 5, int: 1 }))).toBe('SPARKPLUG_UNKNOWN_METRIC');
    expect(asked.since).toEqual([]);
  });

  it('can be told by its bytes from every other one, unless it is a death', () => {
    const { decoder } = new Listener();
    const own = (type: string, payload: Buffer): boolean => decoder.hasOwnTime(topic(type), payload);
    expect(own('NDATA', data(1, { alias: 0, int: 1 }))).toBe(true);
    expect(own('NBIRTH', birth([]))).toBe(true);
    expect(own('NDATA', sparkplugPayload({ seq: 1 }))).toBe(false);
    expect(own('NDATA', Buffer.from('x'))).toBe(false);
    expect(own('NDEATH', death(1))).toBe(false);
    expect(own('NCMD', data(1))).toBe(true);
    expect(decoder.hasOwnTime('elsewhere', data(1))).toBe(false);
  });
});

describe('the births of many nodes', () => {
  it('are still known when there are more than are kept at hand', () => {
    const listener = new Listener();
    listener.hear(topic('NBIRTH'), birth([{ name: 'a', alias: 1, type: 3, int: 1 }]));
    for (let i = 0; i < 10_001; i += 1) listener.hear(topic('NDATA', `M${i}`), data(1, { name: 'x', type: 3, int: 1 }));
    expect(listener.hear(topic('NDATA'), data(1, { alias: 1, int: 4 }))).toEqual([row('G/N.a', 4)]);
  }, 60_000);
});
