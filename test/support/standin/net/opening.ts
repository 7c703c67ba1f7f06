/**
 * What happens between ACCEPT and the first call, message by message:
 *
 *   DEADBEEF   network services      01  protocol      02  data types      22h  protocol, data types, phase one in one
 *   03 118     log-on, phase one     03 115  log-on, phase two
 */
import { type Engine, OraError, type Session } from '../engine/types.ts';
import type { Faults } from '../faults.ts';
import { VERSION_WITH_END_OF_RESPONSE } from './accept.ts';
import { writeEndOfCall } from './answers.ts';
import type { Connection } from './connection.ts';
import type { FaultPoint } from './fault-point.ts';
import { Login, type LoginRequest, readLogin, type Verifier, writeWelcome } from './login.ts';
import {
  answerDataTypes,
  answerServices,
  type Dialect,
  type Profile,
  readProtocol,
  timeZone,
  writeProtocol,
} from './negotiation.ts';
import { CallFunction, ProtocolError, readHeader } from './request.ts';
import type { Stats } from './stats.ts';
import { type Reader, Writer } from './wire.ts';

const MESSAGE_PROTOCOL = 0x01;
const MESSAGE_DATA_TYPES = 0x02;
const MESSAGE_FAST_LOGIN = 0x22;
const SERVICES_MAGIC_START = 0xde;

export interface LogonContext {
  readonly engine: Engine;
  readonly profile: Profile;
  readonly serviceName: string;
  readonly databaseId: string;
  readonly startedAt: Date;
  readonly faults: Faults;
  readonly stats: Stats;
  /** A new session's number, from 1. */
  nextSessionId(): number;
  /** For an unknown user one that accepts no password. */
  verifier(user: string): Verifier;
  closed(connection: Connection): void;
  protocolError(error: Error): void;
}

export interface OpeningAnswer {
  readonly payload: Writer;
  readonly failed: boolean;
  /** Logged on. */
  readonly session?: Session;
}

export class Opening {
  readonly dialect: Dialect = {
    fieldVersion: 0,
    endOfResponse: false,
    bareTexts: false,
    wideScale: false,
    wantsSettings: false,
  };
  sequenceBase = 0;
  /** Answers from the log-on on (with fast login from the first) end with a marker, where that was agreed on. */
  marksEndOfResponse = false;
  readonly #context: LogonContext;
  #login: Login | undefined;
  #sessionId = 0;

  constructor(context: LogonContext) {
    this.#context = context;
  }

  accepted(version: number): void {
    this.dialect.endOfResponse = version >= VERSION_WITH_END_OF_RESPONSE;
  }

  /** Reads one message and answers it; throws NeedMoreData when it is not whole, OraError when the log-on fails. */
  answer(reader: Reader, faults: FaultPoint, signal: AbortSignal): OpeningAnswer | Promise<OpeningAnswer> {
    const { profile } = this.#context;
    const payload = new Writer(4096);
    const answer = { payload, failed: false };
    switch (reader.peek()) {
      case SERVICES_MAGIC_START:
        answerServices(reader, payload);
        return answer;
      case MESSAGE_PROTOCOL:
        reader.skip(1);
        readProtocol(reader);
        writeProtocol(payload, profile, false);
        return answer;
      case MESSAGE_DATA_TYPES:
        reader.skip(1);
        answerDataTypes(reader, payload, profile, this.dialect);
        return answer;
      case MESSAGE_FAST_LOGIN:
        this.#fastLogin(reader, payload);
        return answer;
      default:
        return this.#logonCall(reader, payload, faults, signal);
    }
  }

  /**
   * 22h, version, 2 flags, protocol request, u16, u8, u16, u8 field version of the log-on call, data types request,
   * phase one.
   */
  #fastLogin(reader: Reader, payload: Writer): void {
    reader.skip(5);
    readProtocol(reader);
    reader.skip(5);
    const embedded: Dialect = { ...this.dialect, fieldVersion: reader.ub1() };
    writeProtocol(payload, this.#context.profile, true);
    if (reader.ub1() !== MESSAGE_DATA_TYPES) throw new ProtocolError('fast login without data types');
    answerDataTypes(reader, payload, this.#context.profile, this.dialect);
    const { header } = readHeader(reader, embedded);
    this.#phaseOne(readLogin(reader, this.dialect, true), header.sequence, payload);
  }

  #logonCall(
    reader: Reader,
    payload: Writer,
    faults: FaultPoint,
    signal: AbortSignal,
  ): OpeningAnswer | Promise<OpeningAnswer> {
    const { header } = readHeader(reader, this.dialect);
    if (header.function === CallFunction.loginPhaseOne) {
      this.#phaseOne(readLogin(reader, this.dialect, true), header.sequence, payload);
      return { payload, failed: false };
    }
    if (header.function !== CallFunction.loginPhaseTwo)
      throw new ProtocolError(`call ${header.function} before log-on`);
    const request = readLogin(reader, this.dialect, false);
    return faults.around({ kind: 'logon', user: request.user }, signal, () =>
      this.#phaseTwo(request, header.sequence, payload),
    );
  }

  #phaseOne(request: LoginRequest, sequence: number, payload: Writer): void {
    this.marksEndOfResponse = this.dialect.endOfResponse;
    this.#sessionId = this.#context.nextSessionId();
    this.sequenceBase = (this.#sessionId * 61) & 0xffff;
    this.#login = new Login(this.#context.verifier(request.user));
    this.#login.writeChallenge(payload, this.#context.databaseId);
    this.#end(payload, sequence);
  }

  #phaseTwo(request: LoginRequest, sequence: number, payload: Writer): OpeningAnswer {
    const { engine, profile, serviceName, startedAt, stats } = this.#context;
    const proof = this.#login?.verify(request);
    stats.logon(request.user, proof !== undefined);
    if (proof === undefined) {
      const text = profile.fastLogin ? 'invalid credential or not authorized' : 'invalid username/password';
      throw new OraError(1017, `${text}; logon denied`);
    }
    const session = engine.openSession(request.user.toUpperCase());
    const alter = (request.pairs.get('AUTH_ALTER_SESSION') ?? '').replaceAll('\0', '');
    const zone = /TIME_ZONE\s*=\s*'([+-])(\d+):(\d+)'/i.exec(alter);
    const offset = zone === null ? 0 : (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]));
    writeWelcome(payload, profile, this.dialect, {
      sessionId: this.#sessionId,
      serial: 10_000 + this.#sessionId,
      serviceName,
      proof,
      timeZone: timeZone(offset),
      startedAt,
    });
    this.#end(payload, sequence);
    return { payload, failed: false, session };
  }

  #end(payload: Writer, sequence: number): void {
    writeEndOfCall(payload, this.dialect, {
      status: 1,
      sequence: (this.sequenceBase + sequence) & 0xffff,
      call: sequence,
    });
  }
}
