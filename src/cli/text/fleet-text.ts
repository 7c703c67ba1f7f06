import { printable } from '../../core/printable.ts';
import { figureText, plural } from '../../core/wording.ts';
import type { Paint } from './colours.ts';
import { answersOf, sharedIds, sumOf, type Member } from '../remote/fleet.ts';
import { colourOf, problemLines, wrapped } from './status-text.ts';
import { alignCells } from './table.ts';
import type { ShownStatus } from '../remote/status-request.ts';

interface Column {
  readonly heading: string;
  readonly isText?: true;
  readonly read: (status: ShownStatus) => string;
}

const COLUMNS: readonly Column[] = [
  { heading: 'bridge', isText: true, read: ({ bridgeId }) => printable(bridgeId) },
  {
    heading: 'broker',
    isText: true,
    read: ({ mqtt }) => (mqtt.connected ? `MQTT ${mqtt.protocolVersion}` : 'not connected'),
  },
  { heading: 'Oracle', isText: true, read: ({ oracle }) => printable(oracle.state) },
  { heading: 'in/s', read: ({ rates }) => figure(rates?.valuesInPerSecond) },
  { heading: 'out/s', read: ({ rates }) => figure(rates?.valuesOutPerSecond) },
  { heading: 'on the way', read: ({ audit }) => figure(audit.pending) },
  { heading: 'unacked', read: ({ mqtt }) => figure(mqtt.unackedMessages) },
  { heading: 'backed up', read: ({ backups }) => figure(backups.pendingRows) },
  { heading: 'problems', read: ({ problems }) => figure(problems.length) },
];
const INDENT = '  ';

/**
 * A fleet for a person: how it is in one line, a line a member, the sum, then what needs attention and what to do about
 * it.
 */
export function formatFleet(
  members: readonly Member[],
  paint: Paint,
  columns: number = Number.POSITIVE_INFINITY,
): string {
  const troubles = [
    ...silenceLines(members, paint, columns),
    ...sharedIdLines(members, paint, columns),
    ...members.flatMap(({ status }) =>
      status === undefined ? [] : problemLines(status, paint, columns, `${status.bridgeId}: `),
    ),
  ];
  const lines = [headLine(members, paint), '', ...tableLines(members, paint), ...versionLines(members, paint)];
  return `${[...lines, ...(troubles.length === 0 ? [] : ['', ...troubles])].join('\n')}\n`;
}

function headLine(members: readonly Member[], paint: Paint): string {
  const { answering, problems } = sumOf(members);
  const silent = members.length - answering;
  const verdicts = [
    ...(silent === 0 ? [] : [paint('red', silent === 1 ? '1 does not answer' : `${figureText(silent)} do not answer`)]),
    ...(problems === 0 ? [] : [paint(worstColour(members), plural(problems, 'problem'))]),
    ...(sharedIds(members).length === 0 ? [] : [paint('red', 'ids are not unique')]),
  ];
  const verdict = verdicts.length === 0 ? paint('green', 'all is well') : verdicts.join(', ');
  return `${paint('bold', `fleet of ${figureText(members.length)}`)}: ${verdict}`;
}

function worstColour(members: readonly Member[]): 'red' | 'yellow' {
  const inTrouble = answersOf(members).filter(({ problems }) => problems.length > 0);
  return inTrouble.some((status) => colourOf(status) === 'red') ? 'red' : 'yellow';
}

/** A member that does not answer has its address where the others have their id. */
function tableLines(members: readonly Member[], paint: Paint): string[] {
  const rows = members.map(({ url, status }) =>
    status === undefined ? [printable(url), 'no answer'] : COLUMNS.map(({ read }) => read(status)),
  );
  const headings = COLUMNS.map(({ heading }) => heading);
  const figures = new Set(COLUMNS.flatMap(({ isText }, i) => (isText ? [] : [i])));
  const [head = '', ...lines] = alignCells([headings, ...rows, sumRow(members)], figures);
  const sum = lines.pop() ?? '';
  return [
    `${INDENT}${paint('dim', head)}`,
    ...members.map((member, i) => `${INDENT}${paintRow(lines[i]!, member, paint)}`),
    `${INDENT}${paint('bold', sum)}`,
  ];
}

function paintRow(text: string, { status }: Member, paint: Paint): string {
  if (status === undefined) return paint('red', text);
  return status.problems.length === 0 ? text : paint(colourOf(status), text);
}

/** The sum of the members, a cell for each of COLUMNS. */
function sumRow(members: readonly Member[]): string[] {
  const { answering, backups, connectedToBroker, pending, problems, rates, unackedMessages, writingToOracle } =
    sumOf(members);
  const figures = [rates.valuesInPerSecond, rates.valuesOutPerSecond, pending, unackedMessages];
  return [
    'sum',
    `${connectedToBroker} of ${members.length}`,
    `${writingToOracle} of ${members.length}`,
    ...[...figures, backups.pendingRows, problems].map((each) => figure(answering === 0 ? undefined : each)),
  ];
}

function figure(count: number | undefined): string {
  return count === undefined ? '-' : figureText(count);
}

/** Which member has which version, while a fleet is upgraded one by one; nothing when all have the same. */
function versionLines(members: readonly Member[], paint: Paint): string[] {
  const ids = new Map<string, string[]>();
  for (const { bridgeId, version } of answersOf(members)) ids.set(version, [...(ids.get(version) ?? []), bridgeId]);
  if (ids.size < 2) return [];
  const text = [...ids].map(([version, each]) => `${version} (${each.join(', ')})`).join(', ');
  return ['', paint('dim', printable(`versions: ${text}`))];
}

function silenceLines(members: readonly Member[], paint: Paint, columns: number): string[] {
  return members.flatMap(({ url, error }) =>
    error === undefined ? [] : wrapped(`${url} does not answer: ${error}`, paint('red', '!'), columns),
  );
}

function sharedIdLines(members: readonly Member[], paint: Paint, columns: number): string[] {
  const remedy = 'Name each member once; and each needs a bridge.id and an mqtt.clientId of its own.';
  const remedyLines = wrapped(remedy, `  ${paint('dim', '→')}`, columns, 4);
  return sharedIds(members).flatMap(({ bridgeId, urls }) =>
    wrapped(`${urls.join(' and ')} say that they are ${bridgeId}.`, paint('red', '!'), columns).concat(remedyLines),
  );
}
