import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataPackets, markerPacket, PacketSplitter, PacketType } from '../../support/standin/net/packet.ts';
import { RowReader } from '../../support/standin/net/row-reader.ts';
import { OracleType } from '../../support/standin/net/values.ts';
import { NeedMoreData, Reader, Writer } from '../../support/standin/net/wire.ts';

function readerOf(bytes: Buffer): Reader {
  const reader = new Reader(16);
  reader.append(bytes, 0, bytes.length);
  return reader;
}

describe('TTC primitives', () => {
  it('writes whole numbers in as few bytes as they need', () => {
    expect(new Writer().ub(0).ub(1).ub(0x1234).ub(0x123456).done().toString('hex')).toBe('00010102123403123456');
  });

  it('gives back whole numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(readerOf(new Writer().ub(value).done()).ub()).toBe(value);
      }),
    );
  });

  it('reads negative numbers by bit 7 of their length', () => {
    expect(readerOf(Buffer.from([0x81, 0x7f])).ub()).toBe(-127);
  });

  it('gives back bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 70_000, size: 'max' }), (value) => {
        expect(Buffer.compare(readerOf(new Writer().bytes(value).done()).bytes()!, value)).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('asks for more when a value is cut off', () => {
    const whole = new Writer().keyValue('AUTH_SESSKEY', 'F00', 7).done();
    for (let cut = 0; cut < whole.length; cut++) {
      expect(() => readerOf(whole.subarray(0, cut)).keyValue()).toThrow(NeedMoreData);
    }
    expect(readerOf(whole).keyValue()).toEqual({ key: 'AUTH_SESSKEY', value: 'F00', flags: 7 });
  });
});

describe('packets', () => {
  it('cuts a stream at packet borders however it arrives', () => {
    const stream = Buffer.concat([dataPackets(Buffer.alloc(1000, 7), 512, true), markerPacket(1)]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const splitter = new PacketSplitter();
        splitter.wide = true;
        const seen: [number, number][] = [];
        let at = 0;
        for (let i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!;
          splitter.push(stream.subarray(at, at + size), (type, _, start, end) => seen.push([type, end - start]));
          at += size;
        }
        expect(seen).toEqual([
          [PacketType.data, 512],
          [PacketType.data, 508],
          [PacketType.marker, 11],
        ]);
      }),
    );
  });

  it('flags the last packet of a response only', () => {
    const packets = dataPackets(Buffer.alloc(1000), 512, true);
    expect([packets.readUInt16BE(8), packets.readUInt16BE(512 + 8)]).toEqual([0, 0x2000]);
  });

  it('refuses a length shorter than a header', () => {
    expect(() => new PacketSplitter().push(Buffer.alloc(8), () => undefined)).toThrow('packet of 0 bytes');
  });
});

describe('rows of an array bind', () => {
  const binds = [OracleType.varchar, OracleType.number, OracleType.raw].map((type) => ({
    type,
    maxBytes: type === OracleType.varchar ? 40_000 : 22,
    national: false,
  }));
  const rows = Array.from({ length: 30 }, (_, i) => ({ text: `tag ${i}`.repeat(i === 7 ? 9000 : 1), raw: i % 3 }));
  const encoded = new Writer();
  for (const { text, raw } of rows) {
    encoded
      .ub1(7)
      .bytes(Buffer.of(0xc1, 2 + raw))
      .bytes(Buffer.alloc(raw, 1))
      .text(text);
  }
  const stream = encoded.done();
  const expected = rows.map(({ text, raw }) => [text, 1 + raw, raw === 0 ? null : new Uint8Array(raw).fill(1)]);

  it('are the same however their bytes arrive, with long strings after the others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9000 }), (size) => {
        const reader = new Reader(16);
        const rowReader = new RowReader(binds, rows.length, false, true);
        let complete = false;
        for (let at = 0; at < stream.length; at += size) {
          expect(complete).toBe(false);
          reader.append(stream, at, Math.min(stream.length, at + size));
          complete = rowReader.read(reader);
        }
        expect(complete).toBe(true);
        expect(rowReader.rows).toEqual(expected);
        expect(reader.empty).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('are counted without being decoded', () => {
    const rowReader = new RowReader(binds, rows.length, false, false);
    expect(rowReader.read(readerOf(stream))).toBe(true);
    expect([rowReader.count, rowReader.rows.length]).toEqual([30, 0]);
  });

  it('report a value that makes no sense as an error of its row', () => {
    const bad = new Writer().ub1(7, 2, 0xc1, 2, 7, 2, 0xc1, 0xff, 7, 2, 0xc1, 3).done();
    const rowReader = new RowReader([binds[1]!], 3, false, true);
    expect(rowReader.read(readerOf(bad))).toBe(true);
    expect(rowReader.rows).toEqual([[1], [null], [2]]);
    expect([...rowReader.errors].map(([offset, error]) => [offset, error.code])).toEqual([[1, 1722]]);
  });
});
