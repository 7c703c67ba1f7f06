// @ts-check
/**
 * The way of a value as a picture: a stage says its state by a word, a shape and a colour, a pipe by its shape whether
 * values flow.
 */
import { bridgeNowMs } from './clock.js';
import { add, find, setTone, write } from './dom.js';
import { bytes, duration, many, number, percent } from './format.js';

/** @typedef {import('./live.js').Status} Status */
/** @typedef {import('./dom.js').Tone} Tone */
/** @typedef {'flowing' | 'idle' | 'blocked'} Flow */
/**
 * @typedef {object} View
 * @property {Tone} tone
 * @property {string} state
 * @property {string} figure
 * @property {string} unit
 * @property {string} more
 * @property {string} [where] an address or a name
 * @property {string} [title] all of it, where that is more
 * @property {number} [level] how full, between 0 and 1
 * @property {Flow} flow of the pipe that leaves it
 */

const NEARLY_FULL = 0.8;

/** @type {readonly { id: string, title: string, read: (status: Status, before: Status) => View }[]} */
const STAGES = [
  { id: 'broker', title: 'MQTT broker', read: readBroker },
  { id: 'journal', title: 'Journal on disk', read: readJournal },
  { id: 'buffer', title: 'Buffer', read: readBuffer },
  { id: 'writer', title: 'Writer', read: readWriter },
  { id: 'table', title: 'Oracle table', read: readTable },
  { id: 'backup', title: 'CSV backup', read: readBackup },
  { id: 'replay', title: 'Replay', read: readReplay },
  { id: 'aside', title: 'Set apart', read: readAside },
];

/** @param {Status} status @returns {View} */
function readBroker({ mqtt, rates, counters }) {
  const [tone, state] = brokerState(mqtt);
  return {
    tone,
    state,
    figure: number(rates.messagesPerSecond),
    unit: 'messages/s',
    more: `${number(counters.messagesReceived)} received`,
    where: mqtt.broker ?? '',
    flow: !mqtt.connected ? 'blocked' : rates.messagesPerSecond > 0 ? 'flowing' : 'idle',
  };
}

/** @param {Status['mqtt']} mqtt @returns {[Tone, string]} */
function brokerState({ connected, sessionLostAt, sessionStarvedAt, starvedMeasure, subscriptionProblems }) {
  if (!connected) return ['trouble', 'not connected'];
  if (starvedMeasure === 'none') return ['trouble', 'delivers nothing'];
  if (subscriptionProblems.length > 0) return ['care', `${many(subscriptionProblems.length, 'subscription')} refused`];
  if (sessionLostAt !== undefined) return ['care', 'had lost the session'];
  return sessionStarvedAt === undefined ? ['ok', 'connected'] : ['care', 'had stopped to deliver'];
}

const JOURNAL_STATES = {
  ok: { tone: /** @type {Tone} */ ('ok'), word: 'storing' },
  full: { tone: /** @type {Tone} */ ('trouble'), word: 'full' },
  failing: { tone: /** @type {Tone} */ ('trouble'), word: 'disk refuses' },
};

/** @param {Status} status @returns {View} */
function readJournal({ disks, journal, rates }) {
  const level = journal.bytes / journal.maxBytes;
  const { tone, word } = JOURNAL_STATES[journal.state];
  const isNearlyFull = tone === 'ok' && level >= NEARLY_FULL;
  const disk = diskOf(disks, 'journal.dir');
  const flow = tone === 'trouble' ? 'blocked' : rates.valuesInPerSecond > 0 ? 'flowing' : 'idle';
  const waiting = `${many(journal.messages, 'message')} waiting`;
  if (journal.fullBy === 'disk') {
    // What was free at an earlier look is not shown.
    const isSeen = disk?.state === 'full';
    const free = isSeen ? { figure: bytes(disk.freeBytes), unit: `free of ${bytes(disk.totalBytes)}` } : {};
    const size = { figure: bytes(journal.bytes), unit: 'in the journal', ...free };
    return { tone, state: 'disk full', ...size, more: waiting, level: 1, flow };
  }
  const isLow = tone === 'ok' && disk !== undefined && disk.state !== 'ok';
  return {
    tone: isNearlyFull || isLow ? 'care' : tone,
    state: isLow ? 'disk nearly full' : isNearlyFull ? 'nearly full' : word,
    figure: bytes(journal.bytes),
    unit: `of ${bytes(journal.maxBytes)}`,
    more: untilFull(journal, disk) ?? waiting,
    level,
    flow,
  };
}

/** @typedef {Status['disks'][number]} Disk */

/** @param {Status['disks']} disks @param {Disk['directories'][number]} directory */
function diskOf(disks, directory) {
  return disks.find(({ directories }) => directories.includes(directory));
}

/**
 * What comes first: that the journal has all that it may have, or that its disk is full.
 *
 * @param {Status['journal']} journal @param {Disk | undefined} disk
 */
function untilFull({ fullInSeconds }, disk) {
  const disks = disk?.fullInSeconds ?? Number.POSITIVE_INFINITY;
  if (fullInSeconds !== undefined && fullInSeconds < disks) return `full in ${duration(fullInSeconds)}`;
  return roomOf(disk);
}

/** Of a disk that is, or will be, full; else undefined. @param {Disk | undefined} disk */
function roomOf(disk) {
  if (disk === undefined || (disk.state === 'ok' && disk.fullInSeconds === undefined)) return undefined;
  const until = disk.fullInSeconds === undefined ? '' : `, full in ${duration(disk.fullInSeconds)}`;
  return `${bytes(disk.freeBytes)} free on disk${until}`;
}

/** @param {Status} status @param {Status} before @returns {View} */
function readBuffer({ buffer, rates, counters }, before) {
  const level = buffer.size / buffer.capacity;
  return {
    tone: level >= 1 ? 'trouble' : level >= NEARLY_FULL ? 'care' : 'ok',
    state: level >= 1 ? 'full' : level >= NEARLY_FULL ? 'nearly full' : 'has room',
    figure: number(buffer.size),
    unit: `of ${many(buffer.capacity, 'value')}`,
    more: `${number(rates.valuesInPerSecond)} values/s in`,
    level,
    flow: isLeaving(counters, before.counters) ? 'flowing' : 'idle',
  };
}

/** @param {Status['counters']} counters @param {Status['counters']} before */
function isLeaving(counters, before) {
  return counters.valuesWritten + counters.valuesBackedUp > before.valuesWritten + before.valuesBackedUp;
}

/**
 * @type {Readonly<Record<Status['oracle']['state'], { tone: Tone, writer: string, table: string, tableTone: Tone }>>}
 */
const ORACLE_STATES = {
  connected: { tone: 'ok', writer: 'writing', table: 'taking values', tableTone: 'ok' },
  retrying: { tone: 'care', writer: 'trying again', table: 'not answering', tableTone: 'care' },
  down: { tone: 'care', writer: 'to CSV instead', table: 'down', tableTone: 'trouble' },
};

/** Of several tables, how many take none; undefined where that goes for all of them, or for none. */
/** @param {Status} status */
function someAway({ destinations }) {
  const known = destinations.filter(({ gone }) => gone !== true);
  const away = known.filter(({ state }) => state !== 'connected').length;
  return away === 0 || away === known.length ? undefined : `${away} of ${known.length}`;
}

/** @param {Status} status @returns {View} */
function readWriter(status) {
  const { oracle, rates, rolling } = status;
  const away = someAway(status);
  const { tone, writer } = ORACLE_STATES[oracle.state];
  const isUp = oracle.state === 'connected' || away !== undefined;
  const isIdle = isUp && rates.valuesOutPerSecond === 0;
  return {
    tone,
    state: away !== undefined ? `${writer.replace(' instead', '')}: ${away}` : isIdle ? 'nothing to write' : writer,
    figure: rolling.batches === 0 ? '–' : number(rolling.avgBatchSize),
    unit: 'rows a batch',
    more:
      rolling.batches === 0
        ? `no batch in the last ${duration(rolling.windowSeconds)}`
        : `${number(rolling.avgWriteLatencyMs)} ms a write, over ${duration(rolling.windowSeconds)}`,
    flow: !isUp ? 'blocked' : isIdle ? 'idle' : 'flowing',
  };
}

/** The table, or how many there are, and the database. @param {Status} status */
function tableNames({ destinations, oracle }) {
  const known = destinations.flatMap(({ table }) => table ?? []);
  const tables = known.length === 1 ? known[0] : many(known.length, 'table');
  return [tables, databaseName(oracle.connectString ?? '')].filter(Boolean).join(' in ');
}

/** Of a descriptor its first address and the service: all of it has no room. @param {string} connectString */
function databaseName(connectString) {
  if (!connectString.startsWith('(')) return connectString;
  /** @param {string} name */
  const valueOf = (name) => new RegExp(`\\(\\s*${name}\\s*=\\s*([^()]+?)\\s*\\)`, 'i').exec(connectString)?.[1];
  const port = valueOf('PORT');
  const service = valueOf('SERVICE_NAME') ?? valueOf('SID');
  return `${valueOf('HOST') ?? ''}${port === undefined ? '' : `:${port}`}${service === undefined ? '' : `/${service}`}`;
}

/** @param {Status} status @returns {View} */
function readTable(status) {
  const { oracle, rates, counters } = status;
  const away = someAway(status);
  const { table, tableTone } = ORACLE_STATES[oracle.state];
  const forMs = oracle.since === undefined ? 0 : bridgeNowMs() - Date.parse(oracle.since);
  const isTaking = oracle.state === 'connected' || away !== undefined;
  const word = away === undefined ? table : `${table}: ${away}`;
  return {
    tone: tableTone,
    state: isTaking || forMs < 1000 ? word : `${table} for ${duration(forMs / 1000)}`,
    figure: isTaking ? number(rates.valuesOutPerSecond) : '0',
    unit: 'values/s',
    more:
      isTaking || oracle.reason === undefined ? `${many(counters.valuesWritten, 'value')} written` : oracle.reason.code,
    where: tableNames(status),
    title: oracle.connectString ?? '',
    flow: 'idle',
  };
}

/** @param {Status} status @param {Status} before @returns {View} */
function readBackup({ backups, counters, disks, oracle }, before) {
  const isTaking = counters.valuesBackedUp > before.counters.valuesBackedUp;
  const isEmpty = backups.pendingFiles === 0;
  const wait = oracle.state === 'connected' ? 'waits for replay' : 'waits for Oracle';
  const disk = diskOf(disks, 'backup.dir');
  const isFull = disk?.state === 'full';
  return {
    tone: isFull ? 'trouble' : isEmpty ? 'idle' : 'care',
    state: isFull
      ? 'disk full'
      : isTaking
        ? 'taking values'
        : isEmpty
          ? 'empty'
          : backups.replaying !== undefined
            ? 'being replayed'
            : wait,
    figure: number(backups.pendingRows),
    unit: isEmpty ? 'rows waiting' : `rows, ${many(backups.pendingFiles, 'file')}`,
    more: roomOf(disk) ?? `${many(counters.valuesBackedUp, 'value')} backed up`,
    flow: backups.replaying === undefined ? 'idle' : 'flowing',
  };
}

/** @param {Status} status @returns {View} */
function readReplay({ backups, counters, oracle }) {
  const { replaying, pendingFiles } = backups;
  const more = `${many(counters.valuesReplayed, 'value')} replayed`;
  if (replaying === undefined) {
    const word = oracle.state === 'connected' ? 'not begun' : 'waits for Oracle';
    return {
      tone: pendingFiles === 0 ? 'idle' : 'care',
      state: pendingFiles === 0 ? 'nothing to replay' : word,
      figure: '–',
      unit: '',
      more,
      flow: 'idle',
    };
  }
  const level = replaying.rows === 0 ? 0 : replaying.replayedRows / replaying.rows;
  const isAway = oracle.state !== 'connected';
  return {
    tone: isAway ? 'care' : 'ok',
    state: isAway ? 'waits for Oracle' : 'replaying',
    figure: percent(level),
    unit: `of ${many(replaying.rows, 'row')}`,
    more,
    level,
    flow: isAway ? 'blocked' : 'flowing',
  };
}

/** What waits for a person: rows that were refused one by one, and messages of which no rows could be made. */
/** @param {Status} status @returns {View} */
function readAside({ backups }) {
  const { rejectedRows, undecodableRows } = backups;
  const isEmpty = rejectedRows + undecodableRows === 0;
  return {
    tone: isEmpty ? 'idle' : 'care',
    state: isEmpty ? 'empty' : 'waits for you',
    figure: number(rejectedRows),
    unit: `rejected ${rejectedRows === 1 ? 'row' : 'rows'}`,
    more: many(undecodableRows, 'undecodable message'),
    flow: 'idle',
  };
}

/** @param {HTMLElement} list @param {{ id: string, title: string }} stage */
function build(list, { id, title }) {
  const item = add(list, 'li', 'stage');
  item.id = `stage-${id}`;
  const head = add(item, 'div', 'head');
  add(head, 'h3', '', title);
  const state = add(head, 'p', 'state');
  add(state, 'span', 'mark').setAttribute('aria-hidden', 'true');
  state.append(' ');
  const word = add(state, 'span');
  const body = add(item, 'div', 'body');
  const figure = add(body, 'p', 'figure');
  const value = add(figure, 'b');
  figure.append(' ');
  const unit = add(figure, 'span');
  const meter = add(body, 'div', 'level');
  meter.setAttribute('aria-hidden', 'true');
  const fill = add(meter, 'i');
  const more = add(body, 'p', 'more');
  const where = add(body, 'p', 'where');
  const pipe = add(item, 'span', 'pipe');
  pipe.setAttribute('aria-hidden', 'true');
  return { item, word, value, unit, fill, more, where, pipe };
}

/** @type {Map<string, ReturnType<typeof build>> | undefined} */
let built;
/** @type {Status | undefined} */
let last;

/** Shows each stage; the result is the worst tone of them. @param {Status} status @returns {Tone} */
export function showWay(status) {
  const list = find('#way');
  built ??= new Map(STAGES.map((stage) => [stage.id, build(list, stage)]));
  const before = last ?? status;
  last = status;
  /** @type {Tone[]} */
  const tones = [];
  for (const { id, read } of STAGES) {
    const parts = built.get(id);
    if (parts === undefined) continue;
    const view = read(status, before);
    tones.push(view.tone);
    setTone(parts.item, view.tone);
    write(parts.word, view.state);
    write(parts.value, view.figure);
    write(parts.unit, view.unit);
    write(parts.more, view.more);
    write(parts.where, view.where ?? '');
    parts.where.title = view.title ?? view.where ?? '';
    parts.fill.style.setProperty('inline-size', `${Math.min(100, (view.level ?? 0) * 100)}%`);
    parts.item.dataset['level'] = view.level === undefined ? 'none' : 'some';
    parts.pipe.dataset['flow'] = view.flow;
  }
  const isBackingUp = status.counters.valuesBackedUp > before.counters.valuesBackedUp;
  list.dataset['aside'] = isBackingUp ? 'flowing' : 'idle';
  const isRejecting = status.counters.valuesRejected > before.counters.valuesRejected;
  list.dataset['rejecting'] = isRejecting ? 'flowing' : 'idle';
  return tones.includes('trouble') ? 'trouble' : tones.includes('care') ? 'care' : 'ok';
}
