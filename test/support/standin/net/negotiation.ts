/**
 * What is agreed on between ACCEPT and the log-on.
 *
 *   network services  DEADBEEF, u16 length, u32 version, u16 services, u8 flags, then per service u16 id, u16
 *                     sub-packets, u32 error, each sub-packet u16 length, u16 type, data. Only older clients ask.
 *   protocol          request  01, versions ended by 0, client name ended by 0
 *                     answer   01, version, 0, banner ended by 0, u16le charset, flags, u16le n, n * 5 bytes of charset
 *                              conversions, u16 length + FDO, CLR compile capabilities, CLR run-time capabilities
 *   data types        request  02, u16le charset twice, flags, CLR compile and run-time capabilities, [11 bytes time
 *                              zone, [u32 version of the zone file, u16le national charset]], (u16 type, u16
 *                              conversion [, u16 representation, u16 0])*, u16 0
 *                     answer   02, [11 bytes database time zone, [u32 version of the zone file]], the list in the same
 *                              form
 *
 * The zone is there when the client's run-time capability 1 is 1, the version of its file when both sides have bit 0x02
 * in compile capability 37 too (go-ora has it). Compile capabilities are those of recorded servers: go_ora.pcapng
 * (19.22) in fclairamb/dbbat, fetch_df_session.txt (23.26.1) in MuhDur/rust-oracledb.
 */
import type { Reader, Writer } from './wire.ts';

const CHARSET_AL32UTF8 = 873;
const CHARSET_AL16UTF16 = 2000;
const COMPILE_SETTINGS = 1;
const COMPILE_FIELD_VERSION = 7;
const COMPILE_ZONE_FILE = 37;
const COMPILE_END_OF_RESPONSE = 40;
const RUNTIME_TIME_ZONE = 1;
const TYPE_ONE_BYTE_INTEGER = 27;
const SERVICES_MAGIC = 0xdeadbeef;

/** A server generation: what differs between them on the wire. */
export interface Profile {
  readonly version: number;
  readonly fastLogin: boolean;
  readonly serverVersionNo: number;
  readonly sqlVersion: string;
  /** What the call for the version (59) says. */
  readonly banner: string;
  readonly edition: string;
  readonly maxSdu: number;
  readonly serverFlags: number;
  readonly zoneFileVersion: number;
  readonly compile: Buffer;
  readonly runtime: readonly number[];
}

export type ProfileName = '19c' | '23ai';

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  '19c': {
    version: 318,
    fastLogin: false,
    serverVersionNo: 320_208_896,
    sqlVersion: '24',
    banner: 'Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production\nVersion 19.22.0.0.0',
    edition: '- Production',
    maxSdu: 8192,
    serverFlags: 1,
    zoneFileVersion: 42,
    compile: Buffer.from('060101016f07010c010101010101017fff030e03030101ff01ffff010b0101ff01060be2017f050f0f0d', 'hex'),
    runtime: [2, 1, 0, 1, 0x18, 0, 0x77],
  },
  '23ai': {
    version: 319,
    fastLogin: true,
    serverVersionNo: 387_584_000,
    sqlVersion: '26',
    banner: 'Oracle AI Database 26ai Free Release 23.26.1.0.0 - Develop, Learn, and Run for Free\nVersion 23.26.1.0.0',
    edition: '- Develop, Learn, and Run for Free',
    maxSdu: 65_536,
    serverFlags: 0x23,
    zoneFileVersion: 45,
    compile: Buffer.from(
      '06010101ef0f0119010101010101017fff031003030101ff01ffff010d0101ff01060cf6097f050fff0d0b00ff000000000000020201',
      'hex',
    ),
    runtime: [2, 1, 0, 1, 0x18, 0, 0x7f, 1, 2, 0, 0, 0, 0],
  },
};

/** How the client of a connection writes and reads, found out while it logs on. */
export interface Dialect {
  fieldVersion: number;
  endOfResponse: boolean;
  /** Older clients send the bytes of a text bare after its length; newer ones as CLR. */
  bareTexts: boolean;
  /** Descriptions hold the scale as sb2 rather than as a byte. */
  wideScale: boolean;
  /** Compile capability 1: go-ora and JDBC have it, python-oracledb does not. */
  wantsSettings: boolean;
}

/**
 * Answers an older client's request for network services: none is used. False when the stream does not start with one.
 */
export function answerServices(reader: Reader, writer: Writer): void {
  reader.skip(4);
  const rest = reader.uint16() - 6;
  reader.skip(rest);
  const version = (type: number): number[] => [0, 4, 0, type, 0x13, 0, 0, 0];
  const noAlgorithm = [...version(5), 0, 1, 0, 2, 0];
  const services = [
    { id: 4, parts: 3, data: [...version(5), 0, 2, 0, 6, 0, 0x1f, ...supervisorList()] },
    { id: 1, parts: 2, data: [...version(5), 0, 2, 0, 6, 0xfb, 0xff] },
    { id: 2, parts: 2, data: noAlgorithm },
    { id: 3, parts: 2, data: noAlgorithm },
  ];
  const length = 13 + services.reduce((sum, service) => sum + 8 + service.data.length, 0);
  writer.uint32(SERVICES_MAGIC).uint16(length).uint32(0x13000000).uint16(services.length).ub1(0);
  for (const { id, parts, data } of services) writer.uint16(id).uint16(parts).uint32(0).raw(Uint8Array.from(data));
}

function supervisorList(): number[] {
  const ids = [4, 1, 2, 3].flatMap((id) => [0, id]);
  return [0, 10 + ids.length, 0, 1, 0xde, 0xad, 0xbe, 0xef, 0, 3, 0, 0, 0, 4, ...ids];
}

/** Reads the rest of a protocol request, after its first byte. */
export function readProtocol(reader: Reader): void {
  while (reader.ub1() !== 0);
  while (reader.ub1() !== 0);
}

export function writeProtocol(writer: Writer, profile: Profile, fastLogin: boolean): void {
  writer.ub1(1, 6, 0).raw(Buffer.from('x86_64/Linux 2.4.xx\0')).uint16le(CHARSET_AL32UTF8);
  writer.ub1(fastLogin ? profile.serverFlags : 1);
  const utf8 = 870;
  const others = [832, 840, 850, 865].flatMap((charset) => [
    [utf8, charset, 1],
    [charset, utf8, 1],
  ]);
  const conversions = [...others, [utf8, 799, 8], [799, utf8, 1]] as [number, number, number][];
  writer.uint16le(conversions.length);
  for (const [from, to, flag] of conversions) writer.uint16le(from).uint16le(to).ub1(flag);
  // Only the national charset is read from the FDO: at byte 9 + byte[5] + byte[6].
  const fdo = Buffer.alloc(100);
  fdo.set([0x24, 0x0f], 5);
  fdo.writeUInt16BE(CHARSET_AL16UTF16, 9 + 0x24 + 0x0f);
  writer.uint16(fdo.length).raw(fdo);
  writer.bytes(profile.compile).bytes(Uint8Array.from(profile.runtime));
}

/** Reads the rest of a data types request, after its first byte, and answers with the types asked for. */
export function answerDataTypes(reader: Reader, writer: Writer, profile: Profile, dialect: Dialect): void {
  reader.skip(5);
  const compile = Buffer.from(reader.bytes() ?? []);
  const runtime = Buffer.from(reader.bytes() ?? []);
  const withTimeZone = runtime[RUNTIME_TIME_ZONE] === 1;
  const withZoneFile =
    withTimeZone && ((compile[COMPILE_ZONE_FILE] ?? 0) & profile.compile[COMPILE_ZONE_FILE]! & 2) !== 0;
  if (withTimeZone) reader.skip(11);
  if (withZoneFile) reader.skip(6);
  writer.ub1(2);
  if (withTimeZone) writer.raw(timeZone(0));
  if (withZoneFile) writer.uint32(profile.zoneFileVersion);
  for (let type = reader.uint16(); type !== 0; type = reader.uint16()) {
    const conversion = reader.uint16();
    writer.uint16(type).uint16(conversion);
    if (conversion === 0) continue;
    const representation = reader.uint16();
    if (type === TYPE_ONE_BYTE_INTEGER) dialect.wideScale = representation === 1;
    writer.uint16(representation).uint16(reader.uint16());
  }
  writer.uint16(0);
  dialect.fieldVersion = Math.min(profile.compile[COMPILE_FIELD_VERSION]!, compile[COMPILE_FIELD_VERSION] ?? 0);
  dialect.wantsSettings = compile[COMPILE_SETTINGS] === 1;
  dialect.endOfResponse &&= ((compile[COMPILE_END_OF_RESPONSE] ?? 0) & 0x20) !== 0;
}

/** An offset in minutes as the 11 bytes of an interval. */
export function timeZone(offsetMinutes: number): Uint8Array {
  const hours = Math.trunc(offsetMinutes / 60);
  return Uint8Array.of(0x80, 0, 0, 0, hours + 60, offsetMinutes - hours * 60 + 60, 60, 0x80, 0, 0, 0);
}
