/**
 * Requests as go-ora 2.8.24 and ojdbc11 23.26.4 send them (recorded between them and the stand-in), which other drivers
 * write otherwise; and answers as real servers give them. So these are held where no such driver can be had.
 */
import { describe, expect, it } from 'vitest';

import { acceptPacket } from '../../support/standin/net/accept.ts';
import { answerDataTypes, type Dialect, profiles, writeProtocol } from '../../support/standin/net/negotiation.ts';
import { MarkerKind, markerPacket } from '../../support/standin/net/packet.ts';
import { readHeader, readPlainCall, readStatementCall } from '../../support/standin/net/request.ts';
import { Reader, Writer } from '../../support/standin/net/wire.ts';

const JDBC_SELECT = Buffer.from(
  '035e03000280210001011201010d000004ffffffff010a047fffffff00000000000000000000000100000000000000000000' +
    '000000000053454c45435420312046524f4d206475616c0101000000000000010100028000000000',
  'hex',
);
const JDBC_INSERT = Buffer.from(
  '035e08000280290001016c01010d00000000047fffffff010107000000000000000000010000000000010201f40100000000' +
    '000000494e5345525420494e544f20636c69656e745f726f7773202869642c206e616d652c2076616c75652c2061742c2061' +
    '745f7a6f6e652c206461792c206e6f7465292056414c55455320283a31202c203a32202c203a33202c203a34202c203a3520' +
    '2c203a36202c203a37202901010201f40000000000000002c000000000020300000116000000000203690100000103000001' +
    '1c000110000002036901000065030000010800000000020369010000b403000109010b000408000000000000000000b50300' +
    '00010d000000000203690100000c0300000107000000000203690100000103000001040001100000020369010000',
  'hex',
);

function readerOf(bytes: Buffer): Reader {
  const reader = new Reader();
  reader.append(bytes, 0, bytes.length);
  return reader;
}

function dialectOf(more: Partial<Dialect>): Dialect {
  return {
    fieldVersion: 24,
    endOfResponse: false,
    bareTexts: false,
    wideScale: false,
    wantsSettings: false,
    ...more,
  };
}

const JDBC = dialectOf({ bareTexts: true, wideScale: true });

describe('the JDBC driver', () => {
  it('asks for rows with its execute, without the option to fetch, behind the size of a prefetch buffer', () => {
    const reader = readerOf(JDBC_SELECT);
    const { header } = readHeader(reader, JDBC);
    const call = readStatementCall(reader, JDBC, header);
    expect(call).toMatchObject({ sql: 'SELECT 1 FROM dual', executes: true, fetchRows: 10, isQuery: true });
    expect(reader.empty).toBe(true);
  });

  it('describes its binds with two bytes for the scale of numbers and timestamps', () => {
    const reader = readerOf(JDBC_INSERT);
    const { header } = readHeader(reader, JDBC);
    const call = readStatementCall(reader, JDBC, header);
    expect(call.binds!.map(({ type }) => type)).toEqual([2, 1, 101, 180, 181, 12, 1]);
    expect(call).toMatchObject({ iterations: 500, batchErrors: false });
    expect(reader.empty).toBe(true);
  });

  it('says four numbers before its logoff, in a piggyback', () => {
    const reader = readerOf(Buffer.from('11bf0800010109003531322c302c302c3003090900', 'hex'));
    expect(readHeader(reader, JDBC).header).toEqual({ function: 9, sequence: 9 });
    expect(reader.empty).toBe(true);
  });

  it('asks for the version, as go-ora does', () => {
    for (const [dialect, request] of [
      [JDBC, '033b07000102010001010101'],
      [dialectOf({ fieldVersion: 11 }), '033b000102010001010101'],
    ] as const) {
      const reader = readerOf(Buffer.from(request, 'hex'));
      readPlainCall(reader, dialect, readHeader(reader, dialect).header);
      expect(reader.empty).toBe(true);
    }
  });
});

describe('go-ora', () => {
  const ZONE = '800000003c3c3c80000000';
  const TYPES = '00010001000100000000';
  /** Its capabilities 1, 7 and 37 as it sends them, the others 1. */
  const compile = Buffer.alloc(45, 1);
  compile[7] = 11;
  compile[37] = 0x3a;

  it.each([
    ['19c', '0000002a'],
    ['23ai', '0000002d'],
  ] as const)('tells and hears the version of its zone file, with the national charset: %s', (profile, version) => {
    const request = Buffer.concat([
      Buffer.from('69036903012d', 'hex'),
      compile,
      Buffer.from(`020001${ZONE}00000020d007${TYPES}`, 'hex'),
    ]);
    const reader = readerOf(request);
    const writer = new Writer();
    const dialect = dialectOf({});
    answerDataTypes(reader, writer, profiles[profile], dialect);
    expect(writer.done().toString('hex')).toBe(`02${ZONE}${version}${TYPES}`);
    expect(dialect).toMatchObject({ fieldVersion: 11, wantsSettings: true });
    expect(reader.empty).toBe(true);
  });

  it('finds in the protocol answer that both know the zone file', () => {
    const writer = new Writer();
    writeProtocol(writer, profiles['19c'], false);
    // go_ora.pcapng [6] in fclairamb/dbbat
    const recorded =
      '2a060101016f07010c010101010101017fff030e03030101ff01ffff010b0101ff01060be2017f050f0f0d07020100011800';
    expect(writer.done().toString('hex')).toContain(recorded);
  });
});

describe('what real servers send to every thin client', () => {
  it('are markers with the flag 20h: python_thin_failed_stmt.pcapng [8] and [9] in fclairamb/dbbat', () => {
    expect(markerPacket(MarkerKind.break).toString('hex')).toBe('0000000b0c200000010001');
    expect(markerPacket(MarkerKind.reset).toString('hex')).toBe('0000000b0c200000010002');
  });

  it('is an ACCEPT without the option 0400h, so that no client tries urgent data: recordings of 19.22 and 23.26', () => {
    for (const version of [318, 319]) {
      const packet = acceptPacket({ version, sdu: 8192, servicesFlags: 0x84, fastLogin: version === 319 });
      expect(packet.readUInt16BE(10) & 0x0400).toBe(0);
      expect(packet.subarray(22, 24).toString('hex')).toBe('c500');
    }
  });
});
