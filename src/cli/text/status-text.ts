import { printable } from '../../core/printable.ts';
import { durationText, figureText, plural, sizeText, utcText, wrapText } from '../../core/wording.ts';
import { isGrave } from '../../ops/problems.ts';
import type { Status } from '../../ops/status.ts';
import type { ShownStatus } from '../remote/status-request.ts';
import type { Paint } from './colours.ts';
import { progressBar } from './progress-line.ts';
import { alignCells } from './table.ts';

type Line = readonly [label: string, text: string];

const LABEL_WIDTH = 20;
const OUTAGES_SHOWN = 5;

/** Under each heading a line a figure; what is undefined is left out. */
const SECTIONS: readonly (readonly [heading: string, lines: (status: ShownStatus) => readonly (Line | undefined)[]])[] =
  [
    [
      'Connections',
      ({ mqtt, oracle }) => [
        ['MQTT broker', brokerText(mqtt)],
        ['Oracle', oracleText(oracle)],
      ],
    ],
    ['Destinations', ({ destinations = [] }) => destinationLines(destinations)],
    [
      'Now',
      ({ rates, rolling, audit, mqtt }) => [
        rates && ['in', `${figureText(rates.valuesInPerSecond)} values/s`],
        rates && ['out', `${figureText(rates.valuesOutPerSecond)} values/s`],
        ['average batch', `${figureText(rolling.avgBatchSize)} rows in ${figureText(rolling.avgWriteLatencyMs)} ms`],
        ['on the way', values(audit.pending)],
        ['unacknowledged', plural(mqtt.unackedMessages, 'message')],
      ],
    ],
    [
      'Space',
      ({ buffer, disks = [], journal, backups: { replaying } }) => [
        ['buffer', gauge(buffer.size, buffer.capacity, figureText, 'values')],
        [
          'journal',
          journal.maxBytes === undefined
            ? `${sizeText(journal.bytes)}, ${plural(journal.messages, 'message')} not settled`
            : `${gauge(journal.bytes, journal.maxBytes, sizeText)}, ${plural(journal.messages, 'message')} not settled`,
        ],
        ...disks.map((disk): Line => ['disk', diskText(disk)]),
        replaying && [
          'replaying',
          `${gauge(replaying.replayedRows, replaying.rows, figureText, 'rows')} of ${replaying.file}`,
        ],
      ],
    ],
    [
      'Kept in CSV files',
      ({ backups: b }) => [
        ['backups', kept(b.pendingRows, b.pendingFiles, 'row')],
        ['held', kept(b.heldRows, b.heldFiles, 'row')],
        ['rejected', kept(b.rejectedRows, b.rejectedFiles, 'row')],
        ['undecodable', kept(b.undecodableRows, b.undecodableFiles, 'message')],
      ],
    ],
    [
      'Since the first start',
      ({ counters: c, audit, mqtt }) => [
        ['received', `${values(c.valuesReceived)} in ${plural(c.messagesReceived, 'message')}`],
        ['written', `${values(c.valuesWritten)}, and ${values(c.valuesReplayed)} replayed`],
        ['backed up', values(c.valuesBackedUp)],
        ['already there', values(c.valuesAlreadyThere)],
        ['rejected', values(c.valuesRejected)],
        ['dropped', values(c.valuesDropped)],
        ['filtered', values(c.valuesFiltered)],
        ['undecodable', plural(c.messagesUndecodable, 'message')],
        ['skipped', plural(c.messagesSkipped, 'message')],
        mqtt.sessionsLost > 0 ? ['sessions lost', plural(mqtt.sessionsLost, 'time')] : undefined,
        mqtt.sessionsStarved > 0 ? ['sessions starved', plural(mqtt.sessionsStarved, 'time')] : undefined,
        ['all accounted for', audit.balanced ? 'yes' : 'no'],
      ],
    ],
  ];

/**
 * The numbers for a person: how it is in one line, what needs attention and what to do about it, then a line a figure.
 */
export function formatStatus(status: ShownStatus, paint: Paint, columns = Number.POSITIVE_INFINITY): string {
  const count = status.problems.length;
  const verdict = count === 0 ? paint('green', 'all is well') : paint(colourOf(status), plural(count, 'problem'));
  const about = paint('dim', printable(`version ${status.version}, running for ${durationText(status.uptimeSeconds)}`));
  const head = `${paint('bold', printable(status.bridgeId))}: ${verdict}  ${about}`;
  const sections = SECTIONS.flatMap(([heading, lines]) => section(heading, lines(status), paint));
  const lines = [
    head,
    ...problemLines(status, paint, columns),
    ...sections,
    ...subscriptionLines(status, paint),
    ...outageLines(status, paint, columns),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Each subscription with what it has brought. One that brought nothing has mostly a slip in its topic, or a publisher
 * that is away; a bridge of an earlier version tells of these alone.
 */
function subscriptionLines({ mqtt }: ShownStatus, paint: Paint): string[] {
  const { silentSubscriptions = [], subscriptions = [] } = mqtt;
  if (subscriptions.length > 0) {
    const since = new Map(silentSubscriptions.map((silent) => [silent.topic, silent.since]));
    const cells = subscriptions.map((each) => subscriptionCells(each, since.get(each.topic)));
    return [
      '',
      paint('bold', 'Subscriptions'),
      ...alignCells(cells, new Set([2])).map((line) => `  ${printable(line)}`),
    ];
  }
  if (silentSubscriptions.length === 0) return [];
  const lines = silentSubscriptions.map(({ since, topic }) => `  ${printable(`${topic}  since ${utcText(since)}`)}`);
  return ['', paint('bold', 'Subscriptions without a message'), ...lines];
}

/** The newest of them, with the rows that went to backups where that is known. */
function outageLines({ destinations = [], outages = [] }: ShownStatus, paint: Paint, columns: number): string[] {
  if (outages.length === 0) return [];
  const lines = outages.slice(0, OUTAGES_SHOWN).flatMap((outage) => {
    const { began, ended, restarted, rowsBackedUp } = outage;
    const atMost = ended !== undefined && restarted === true ? 'at most ' : '';
    const lasted = `${ended === undefined ? 'lasts, ' : atMost}${durationText(outage.seconds)}`;
    const rows = rowsBackedUp === undefined ? '' : `, ${plural(rowsBackedUp, 'row')} to backups`;
    const text = `${whatWasOut(outage, destinations.length > 1)} (${lasted}${rows}): ${reasonText(outage)}`;
    return wrapped(text, `  ${utcText(began)}`, columns, 4);
  });
  return ['', paint('bold', 'Last outages'), ...lines];
}

function whatWasOut({ destination, of }: Status['outages'][number], isOneOfSeveral: boolean): string {
  if (of !== 'oracle') return of === 'broker' ? 'MQTT broker' : 'journal';
  return isOneOfSeveral && destination !== undefined ? `Oracle, destination ${destination}` : 'Oracle';
}

function reasonText({ code, reason }: Status['outages'][number]): string {
  return code === undefined || reason.startsWith(code) ? reason : `${code}: ${reason}`;
}

/** The colour of what is said of a bridge that has problems. */
export function colourOf(status: ShownStatus): 'red' | 'yellow' {
  return isGrave(status) ? 'red' : 'yellow';
}

/** The problems, each with its remedy below it. `before` stands before each problem and says whose it is. */
export function problemLines(status: ShownStatus, paint: Paint, columns: number, before = ''): string[] {
  const mark = paint(colourOf(status), '!');
  return status.problems.flatMap((problem) => {
    const remedy = status.advice?.find((each) => each.problem === problem)?.remedy ?? '';
    const lines = wrapped(utcText(before + problem), mark, columns);
    return remedy === '' ? lines : [...lines, ...wrapped(remedy, `  ${paint('dim', '→')}`, columns, 4)];
  });
}

/**
 * A text of any origin behind a mark, its further lines below its first; `indent` is the width of the mark and a blank.
 */
export function wrapped(text: string, mark: string, columns: number, indent = 2): string[] {
  const lines = wrapText(printable(oneLine(text)), columns - indent);
  return lines.map((line, i) => (i === 0 ? `${mark} ${line}` : `${' '.repeat(indent)}${line}`));
}

function diskText({ directories, freeBytes, fullInSeconds, totalBytes }: Status['disks'][number]): string {
  const until = fullInSeconds === undefined ? '' : `, full in ${durationText(fullInSeconds)} at this rate`;
  return `${sizeText(freeBytes)} of ${sizeText(totalBytes)} free for ${directories.join(' and ')}${until}`;
}

/** With one destination there is nothing to say that does not stand elsewhere. */
function destinationLines(destinations: NonNullable<ShownStatus['destinations']>): Line[] {
  if (destinations.length < 2) return [];
  const texts = alignCells(
    destinations.map(({ backups: b, counters, gone, pending, state, table = '-' }) => [
      gone === true ? 'gone' : state,
      table,
      `${figureText(counters.valuesWritten)} written`,
      `${figureText(pending)} on the way`,
      b.pendingFiles === 0 ? '' : kept(b.pendingRows, b.pendingFiles, 'row'),
    ]),
    new Set([2, 3]),
  );
  const width = Math.max(LABEL_WIDTH, ...destinations.map(({ name }) => name.length + 2));
  return destinations.map(({ name }, i) => [name.padEnd(width), texts[i]!]);
}

/** Without a line there is no heading. */
function section(heading: string, lines: readonly (Line | undefined)[], paint: Paint): string[] {
  const shown = lines.filter((line) => line !== undefined);
  if (shown.length === 0) return [];
  return [
    '',
    paint('bold', heading),
    ...shown.map(([label, text]) => `  ${printable(label.padEnd(LABEL_WIDTH))}${printable(text)}`),
  ];
}

function subscriptionCells(
  { grantedQos, lastMessageAt, messages, qos, topic }: Status['mqtt']['subscriptions'][number],
  silentSince: string | undefined,
): string[] {
  const granted =
    grantedQos === qos ? `QoS ${qos}` : grantedQos === undefined ? 'not granted' : `QoS ${grantedQos} of ${qos}`;
  const none = silentSince === undefined ? 'none since the start' : `none since ${utcText(silentSince)}`;
  return [
    topic,
    granted,
    plural(messages, 'message'),
    lastMessageAt === undefined ? none : `last at ${utcText(lastMessageAt)}`,
  ];
}

function oracleText({ connectString, since, state }: ShownStatus['oracle']): string {
  const where = connectString === undefined ? '' : ` (${connectString})`;
  return `${state}${since === undefined ? '' : ` since ${utcText(since)}`}${where}`;
}

function brokerText({ broker, connected, protocolVersion, since }: ShownStatus['mqtt']): string {
  if (!connected) return `not connected${since === undefined ? '' : ` since ${utcText(since)}`}`;
  return `connected${broker === undefined ? '' : ` to ${broker}`} (MQTT ${protocolVersion === 5 ? '5' : '3.1.1'})`;
}

function gauge(done: number, all: number, text: (amount: number) => string, unit = ''): string {
  const figures = `${text(done)} of ${text(all)} ${unit}`.trimEnd();
  return `${progressBar(done, all)}  ${figures}`;
}

function kept(rows: number, files: number, noun: string): string {
  return files === 0 ? 'none' : `${plural(rows, noun)} in ${plural(files, 'file')}`;
}

function values(count: number): string {
  return plural(count, 'value');
}

/** Joins the lines of a text: messages of a database have several. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
