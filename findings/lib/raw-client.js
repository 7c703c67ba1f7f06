/**
 * An MQTT client with nothing between the test and the wire: it acknowledges what it is told to, and shows packet id, DUP and retain bit of all
 * that comes. MQTT 3.1.1 (version 4) and MQTT 5.
 *
 *   fixed header [MQTT 5, section 2.1]: type << 4 | flags, then the remaining length, 7 bits a byte
 */
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;

/** Waits until `isSo()`; false when that is not so within the time. */
export async function until(isSo, withinMs = 5000) {
  const endMs = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > endMs) return false;
    await wait(10);
  }
  return true;
}

/** Waits until `count()` has not changed for the time. */
export async function untilQuiet(count, forMs = 1500) {
  let last = count();
  let sinceMs = performance.now();
  while (performance.now() - sinceMs < forMs) {
    await wait(20);
    if (count() === last) continue;
    last = count();
    sinceMs = performance.now();
  }
}

export class RawClient {
  /** What was delivered: `{ topic, payload, qos, dup, retain, id }`. */
  received = [];
  /** With true, each delivery is acknowledged at once. */
  acknowledgesAtOnce = false;
  isClosed = false;
  sessionPresent = false;
  #socket;
  #version;
  #bytes = Buffer.alloc(0);
  #lastId = 0;
  /** By packet id: who waits for PUBACK or SUBACK. */
  #waiting = new Map();
  #connected;

  constructor(socket, version) {
    this.#socket = socket;
    this.#version = version;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#connected?.reject(new Error('closed'));
      for (const { reject } of this.#waiting.values()) reject(new Error('closed'));
      this.#waiting.clear();
    });
  }

  /** Of a session that outlives the connection, unless `clean`. `receiveMaximum` and `expirySeconds` are of MQTT 5. */
  static async connect(port, clientId, options = {}) {
    const { version = 4, clean = false, receiveMaximum, expirySeconds = 3600, username } = options;
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new RawClient(socket, version);
    const properties = [
      Buffer.from([0x11]),
      uint32(expirySeconds),
      ...(receiveMaximum === undefined ? [] : [Buffer.from([0x21]), uint16(receiveMaximum)]),
    ];
    const connected = new Promise((resolve, reject) => (client.#connected = { resolve, reject }));
    const flags = (clean ? 2 : 0) | (username === undefined ? 0 : 0x80);
    client.#send(0x10, [
      text('MQTT'),
      Buffer.from([version, flags]),
      uint16(0),
      ...(version === 5 ? [variable(Buffer.concat(properties).length), ...properties] : []),
      text(clientId),
      ...(username === undefined ? [] : [text(username)]),
    ]);
    await connected;
    return client;
  }

  /** At QoS 1; resolves at PUBACK with its reason code, which is 0 in MQTT 3.1.1. */
  publish(topic, payload, { retain = false } = {}) {
    const id = this.#nextId();
    const answer = this.#answer(id);
    const properties = this.#version === 5 ? [Buffer.from([0])] : [];
    this.#send(0x32 | (retain ? 1 : 0), [text(topic), uint16(id), ...properties, Buffer.from(String(payload))]);
    return answer;
  }

  /** At QoS 1; resolves with the reason code of SUBACK: 1 is granted. */
  subscribe(filter) {
    const id = this.#nextId();
    const answer = this.#answer(id);
    const properties = this.#version === 5 ? [Buffer.from([0])] : [];
    this.#send(0x82, [uint16(id), ...properties, text(filter), Buffer.from([1])]);
    return answer;
  }

  acknowledge(id) {
    this.#send(0x40, [uint16(id)]);
  }

  /** As a lost network or a killed process does: without DISCONNECT. */
  async reset() {
    this.#socket.resetAndDestroy();
    await until(() => this.isClosed);
  }

  async disconnect() {
    this.#send(0xe0, []);
    this.#socket.end();
    await until(() => this.isClosed);
  }

  #answer(id) {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #nextId() {
    this.#lastId = (this.#lastId % 65_535) + 1;
    return this.#lastId;
  }

  #send(first, parts) {
    const body = Buffer.concat(parts);
    this.#socket.write(Buffer.concat([Buffer.from([first]), variable(body.length), body]));
  }

  #take(chunk) {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const size = readVariable(this.#bytes, 1);
      if (size === undefined || this.#bytes.length < size.end + size.value) return;
      const first = this.#bytes[0];
      const body = this.#bytes.subarray(size.end, size.end + size.value);
      this.#bytes = this.#bytes.subarray(size.end + size.value);
      this.#packet(first >> 4, first & 15, body);
    }
  }

  #packet(type, flags, body) {
    if (type === CONNACK) {
      this.sessionPresent = (body[0] & 1) === 1;
      if (body[1] === 0) this.#connected.resolve();
      else this.#connected.reject(new Error(`refused with ${body[1]}`));
    } else if (type === PUBLISH) {
      this.#delivered(flags, body);
    } else if (type === PUBACK || type === SUBACK) {
      const id = body.readUInt16BE(0);
      this.#waiting.get(id)?.resolve(type === SUBACK ? body.at(-1) : (body[2] ?? 0));
      this.#waiting.delete(id);
    }
  }

  #delivered(flags, body) {
    const qos = (flags >> 1) & 3;
    let at = 2 + body.readUInt16BE(0);
    const topic = body.toString('utf8', 2, at);
    const id = qos === 0 ? 0 : body.readUInt16BE(at);
    if (qos > 0) at += 2;
    if (this.#version === 5) {
      const { end, value } = readVariable(body, at);
      at = end + value;
    }
    const payload = body.toString('utf8', at);
    this.received.push({ topic, payload, qos, id, dup: (flags & 8) !== 0, retain: (flags & 1) !== 0 });
    if (this.acknowledgesAtOnce && qos > 0) this.acknowledge(id);
  }
}

function uint16(value) {
  return Buffer.from([value >> 8, value & 255]);
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function variable(length) {
  const bytes = [];
  let rest = length;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

function readVariable(bytes, start) {
  let value = 0;
  for (let i = 0; i < 4; i += 1) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 128 ** i;
    if ((byte & 128) === 0) return { value, end: start + i + 1 };
  }
  throw new Error('not a length');
}
