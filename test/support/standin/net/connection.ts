/**
 * One client's connection:
 *
 *   connecting   CONNECT [+ DATA with the descriptor] → ACCEPT, REFUSE or RESEND
 *   opening      network services, protocol, data types (or all in one: fast login), log-on in two calls
 *   serving      requests, one after the other; what comes meanwhile waits in the reader
 *
 * Errors and breaks:
 *
 *   error   MARKER 1 and MARKER 2 are sent at once, the answer with the error when the client's MARKER 2 has come
 *   break   the client's MARKER 3 (or 1) aborts the call and drops what was read of a request; MARKER 1 is sent; at the
 *           client's MARKER 2, and not before the call has ended, MARKER 2 and ORA-01013
 * DATA that comes between a marker and the client's MARKER 2 belongs to the broken request and is dropped. A request is
 * carried out when all its rows have come, never before. One that this server does not have is such a broken request
 * too: the client gets ORA-03001 and, once logged on, goes on.
 */
import type { Socket } from 'node:net';
import { OraError } from '../engine/types.ts';
import { faultError, type FaultRule } from '../faults.ts';
import { CallStatus, writeEndOfCall } from './answers.ts';
import { Connecting, type ConnectingContext, type ConnectReply } from './connecting.ts';
import { ConnectionGone, FaultPoint, type FaultTarget } from './fault-point.ts';
import { type LogonContext, Opening } from './opening.ts';
import {
  DATA_OFFSET,
  dataPackets,
  isEndOfFile,
  MarkerKind,
  markerPacket,
  PacketSplitter,
  PacketType,
} from './packet.ts';
import { plainCall } from './plain-calls.ts';
import {
  type CallHeader,
  isStatementCall,
  type Piggybacks,
  ProtocolError,
  readHeader,
  readPlainCall,
  readStatementCall,
  type StatementCall,
} from './request.ts';
import { RowReader } from './row-reader.ts';
import { type Answer, SqlSession } from './sql-session.ts';
import { NeedMoreData, Reader, Writer } from './wire.ts';

const MESSAGE_CALL = 0x03;
const MESSAGE_PIGGYBACK = 0x11;
const END_OF_RESPONSE = 0x1d;

export interface ConnectionContext extends LogonContext, ConnectingContext {
  readonly latencyMs: number;
  readonly countOnly: boolean;
  readonly hidesTransactions: boolean;
  abandon(session: SqlSession['session'], late: NonNullable<FaultRule['late']>): void;
}

interface PendingRequest {
  readonly call: StatementCall;
  readonly piggybacks: Piggybacks;
  readonly rows: RowReader;
}

/** The answer that follows the client's MARKER 2. */
interface AfterReset {
  answer: Answer;
  markerSent: boolean;
  requested: boolean;
  readonly closes: boolean;
}

export class Connection implements FaultTarget {
  readonly #context: ConnectionContext;
  readonly #socket: Socket;
  readonly #splitter = new PacketSplitter();
  readonly #reader = new Reader();
  readonly #faults: FaultPoint;
  readonly #connecting: Connecting;
  readonly #opening: Opening;
  #accepted = false;
  #sdu = 8192;
  #session: SqlSession | undefined;
  #request: PendingRequest | undefined;
  #call: AbortController | undefined;
  #afterReset: AfterReset | undefined;
  #killedBy: OraError | undefined;
  #frozen = false;
  readonly #held: Buffer[] = [];
  #closed = false;

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#faults = new FaultPoint(context.faults, this);
    this.#connecting = new Connecting(context);
    this.#opening = new Opening(context);
  }

  start(): void {
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => this.#onClose());
  }

  /** Cuts the connection with a RST; what is uncommitted is rolled back. */
  reset(): void {
    this.#socket.resetAndDestroy();
    this.#onClose();
  }

  /** Nothing is read any more and nothing answered, until `thaw`. */
  freeze(): void {
    this.#frozen = true;
    this.#socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const packets of this.#held.splice(0)) this.#later(() => this.#socket.write(packets));
    this.#socket.resume();
  }

  /** Ends the session; the client hears of it with its next call. */
  kill(error: OraError): void {
    this.#killedBy = error;
    this.#call?.abort();
    if (this.#call === undefined) this.#session?.session.close();
  }

  endSession(error: OraError, fate: NonNullable<FaultRule['ends']>): void {
    this.#session?.session[fate]();
    this.#killedBy = error;
  }

  abandonSession(late: NonNullable<FaultRule['late']>): void {
    if (this.#session !== undefined) this.#context.abandon(this.#session.session, late);
    this.#session = undefined;
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#context.closed(this);
    if (this.#call === undefined) this.#session?.session.close();
    else this.#call.abort();
  }

  #onData(chunk: Buffer): void {
    try {
      this.#splitter.push(chunk, (type, packet, start, end) => this.#onPacket(type, packet, start, end));
    } catch (error) {
      // Nothing that a client of ours sends: seen in tests as a lost connection, so say why.
      if (!this.#closed) this.#context.protocolError(error as Error);
      this.#socket.destroy();
    }
  }

  #onPacket(type: number, packet: Buffer, start: number, end: number): void {
    if (this.#closed) return;
    if (type === PacketType.connect) {
      this.#onConnect(this.#connecting.connect(packet.subarray(start, end)));
    } else if (type === PacketType.marker) {
      if (packet[start + DATA_OFFSET] === MarkerKind.reset) this.#onReset();
      else this.#onBreak();
    } else if (type !== PacketType.data) {
      throw new ProtocolError(`packet type ${type}`);
    } else if (!this.#accepted) {
      this.#onConnect(this.#connecting.descriptor(packet.toString('latin1', start + DATA_OFFSET, end)));
    } else if (isEndOfFile(packet, start)) {
      this.#socket.end();
    } else if (this.#afterReset === undefined) {
      this.#context.stats.packets++;
      this.#reader.append(packet, start + DATA_OFFSET, end);
      this.#pump();
    }
  }

  #onConnect(reply: ConnectReply | undefined): void {
    if (reply === undefined || this.#closed) return;
    if (reply.delayMs > 0) {
      setTimeout(() => this.#onConnect({ ...reply, delayMs: 0 }), reply.delayMs).unref();
    } else if (reply.next === 'freeze') this.freeze();
    else if (reply.next === 'reset') this.reset();
    else if (reply.next === 'end') this.#later(() => this.#socket.end(reply.packet));
    else this.#later(() => this.#socket.write(reply.packet));
    if (reply.delayMs > 0 || reply.next !== 'accepted') return;
    this.#sdu = reply.sdu;
    this.#opening.accepted(reply.version);
    this.#splitter.wide = true;
    this.#accepted = true;
  }

  /** Handles what the reader holds, up to a call that takes its time. */
  #pump(): void {
    while (this.#call === undefined && this.#afterReset === undefined && !this.#reader.empty && !this.#closed) {
      const mark = this.#reader.position;
      try {
        if (!this.#step()) return;
      } catch (error) {
        if (error instanceof NeedMoreData) this.#reader.position = mark;
        else if (error instanceof ProtocolError) this.#refuse(error);
        else throw error;
        return;
      }
    }
  }

  #refuse({ message, sequence }: ProtocolError): void {
    this.#request = undefined;
    const error = new OraError(3001, `unimplemented feature: ${message} is nothing that the stand-in understands`);
    this.#reply(this.#errorAnswer(error, sequence));
  }

  /** False when the rows of a request are not all here yet. */
  #step(): boolean {
    const pending = this.#request;
    if (pending !== undefined) {
      if (!pending.rows.read(this.#reader)) return false;
      this.#request = undefined;
      this.#serve(pending.call, pending.piggybacks, pending);
      return true;
    }
    const message = this.#reader.peek();
    if (this.#session === undefined || (message !== MESSAGE_CALL && message !== MESSAGE_PIGGYBACK)) {
      this.#perform((signal) => this.#open(signal));
      return true;
    }
    const { header, piggybacks } = readHeader(this.#reader, this.#opening.dialect);
    if (!isStatementCall(header)) {
      readPlainCall(this.#reader, this.#opening.dialect, header);
      this.#serve(header, piggybacks);
      return true;
    }
    const call = readStatementCall(this.#reader, this.#opening.dialect, header);
    const binds = call.binds ?? this.#session.cursor(call.cursorId)?.binds ?? [];
    if (binds.length === 0 || !call.executes || call.describeOnly || this.#session.refusal(call) !== undefined) {
      this.#serve(call, piggybacks);
      return true;
    }
    const rows = new RowReader(binds, call.iterations, call.isPlsql, !this.#session.onlyCounts(call));
    this.#request = { call, piggybacks, rows };
    return true;
  }

  /** Services, negotiation and log-on. */
  #open(signal: AbortSignal): Answer | Promise<Answer> {
    const opened = this.#opening.answer(this.#reader, this.#faults, signal);
    const use = ({ payload, session, failed }: Awaited<typeof opened>): Answer => {
      if (session !== undefined) {
        this.#session = new SqlSession({
          session,
          dialect: this.#opening.dialect,
          faults: this.#faults,
          stats: this.#context.stats,
          countOnly: this.#context.countOnly,
          hidesTransactions: this.#context.hidesTransactions,
          sequenceBase: this.#opening.sequenceBase,
        });
      }
      return { payload, failed };
    };
    return opened instanceof Promise ? opened.then(use) : use(opened);
  }

  #serve(call: CallHeader | StatementCall, piggybacks: Piggybacks, request?: PendingRequest): void {
    const session = this.#session!;
    this.#context.stats.calls++;
    if (request !== undefined) this.#context.stats.rows += request.rows.count;
    session.closeCursors(piggybacks.closedCursors);
    if (piggybacks.schema !== undefined) session.setSchema(piggybacks.schema);
    for (const [name, text] of piggybacks.names) session.session.setName(name, text);
    this.#perform((signal) => {
      if (this.#killedBy !== undefined) throw this.#killedBy;
      return 'cursorId' in call
        ? session.run(call, request?.rows, signal)
        : plainCall(session, this.#context.profile, this.#faults, call, this.#sequence(call.sequence), signal);
    }, call.sequence);
  }

  /** Runs a call and sends its answer, now or when its promise is settled. */
  #perform(run: (signal: AbortSignal) => Answer | Promise<Answer>, sequence = 0): void {
    const call = new AbortController();
    let answer: Answer | Promise<Answer>;
    try {
      answer = run(call.signal);
    } catch (error) {
      this.#reply(this.#errorAnswer(error, sequence));
      return;
    }
    if (!(answer instanceof Promise)) {
      this.#reply(answer);
      return;
    }
    this.#call = call;
    const ended = (outcome: Answer | undefined): void => {
      this.#call = undefined;
      if (this.#closed || this.#killedBy !== undefined) this.#session?.session.close();
      if (this.#closed || outcome === undefined) return;
      const result = this.#killedBy === undefined ? outcome : this.#errorAnswer(this.#killedBy, sequence);
      if (this.#afterReset === undefined) this.#reply(result);
      else if (this.#afterReset.requested) this.#afterBreak();
      this.#pump();
    };
    answer
      .then(ended, (error: unknown) =>
        ended(error instanceof ConnectionGone ? undefined : this.#errorAnswer(error, sequence)),
      )
      .catch((error: unknown) => {
        this.#context.protocolError(error as Error);
        this.#socket.destroy();
      });
  }

  #errorAnswer(error: unknown, sequence: number): Answer {
    const reported = this.#killedBy ?? error;
    if (!(reported instanceof OraError)) throw error;
    const payload = new Writer();
    writeEndOfCall(payload, this.#opening.dialect, {
      status: this.#session?.status(CallStatus.idle) ?? CallStatus.idle,
      sequence: this.#sequence(sequence),
      call: sequence,
      error: { code: reported.code, text: reported.text },
    });
    return { payload, failed: true };
  }

  /** The session's count of calls. */
  #sequence(request: number): number {
    return (this.#opening.sequenceBase + request) & 0xffff;
  }

  #reply(answer: Answer): void {
    if (!answer.failed) {
      this.#send(answer.payload);
      return;
    }
    const closes = this.#session === undefined || this.#killedBy !== undefined;
    this.#afterReset = { answer, markerSent: true, requested: false, closes };
    this.#write(Buffer.concat([markerPacket(MarkerKind.break), markerPacket(MarkerKind.reset)]));
  }

  #onBreak(): void {
    this.#reader.clear();
    this.#request = undefined;
    // A break that crosses our own markers: the client's reset will bring the error that is waiting.
    if (this.#afterReset !== undefined) return;
    this.#afterReset = {
      answer: this.#errorAnswer(faultError(1013), 0),
      markerSent: false,
      requested: false,
      closes: this.#killedBy !== undefined,
    };
    this.#write(markerPacket(MarkerKind.break));
    this.#call?.abort();
  }

  #onReset(): void {
    this.#reader.clear();
    this.#request = undefined;
    this.#afterReset ??= {
      answer: this.#errorAnswer(faultError(1013), 0),
      markerSent: false,
      requested: true,
      closes: false,
    };
    this.#afterReset.requested = true;
    if (this.#call === undefined) this.#afterBreak();
  }

  #afterBreak(): void {
    const { answer, markerSent, closes } = this.#afterReset!;
    this.#afterReset = undefined;
    if (!markerSent) this.#write(markerPacket(MarkerKind.reset));
    this.#send(answer.payload);
    if (closes) this.#later(() => this.#socket.end());
  }

  #send(payload: Writer): void {
    const marks = this.#opening.marksEndOfResponse;
    if (marks) payload.ub1(END_OF_RESPONSE);
    this.#write(dataPackets(payload.done(), this.#sdu, marks));
  }

  #write(packets: Buffer): void {
    if (this.#frozen) this.#held.push(packets);
    else this.#later(() => this.#socket.write(packets));
  }

  /** What the client is sent is on the line for a while; in order, as timers of one length are. */
  #later(send: () => void): void {
    const { latencyMs } = this.#context;
    const unlessClosed = (): void => {
      if (!this.#closed) send();
    };
    if (latencyMs === 0) unlessClosed();
    else setTimeout(unlessClosed, latencyMs);
  }
}
