import { printable } from '../../core/printable.ts';
import { figureText, plural, sizeText } from '../../core/wording.ts';
import type { Proposal, Unread } from '../../payload/discovery/proposals.ts';
import type { SurveyedTopic, TopicSurvey } from '../../payload/discovery/topic-survey.ts';
import { alignCells } from './table.ts';

export interface Discovery {
  readonly filter: string;
  readonly listenedSeconds: number;
  readonly survey: TopicSurvey;
  readonly proposals: readonly Proposal[];
  readonly unread: readonly Unread[];
}

const SHOWN_TOPICS = 40;
const SHOWN_UNREAD = 20;
const MAX_TOPIC_LENGTH = 80;
const HEADINGS = ['TOPIC', 'MESSAGES/S', 'SIZE', 'RETAINED', 'SHAPE'];
/** The columns of figures, counted from 0. */
const RIGHT_ALIGNED = new Set([1, 2]);

export function discoveryJson({ filter, listenedSeconds, proposals, survey, unread }: Discovery): string {
  const { bytes, messages, messagesLeftOut } = survey;
  const topics = survey.topics().map((each) => ({
    topic: each.topic,
    messages: each.messages,
    perSecond: rateOf(each, listenedSeconds),
    averageBytes: Math.round(each.bytes / each.messages),
    maxBytes: each.maxBytes,
    retained: each.retained > 0,
    shape: each.shape.text,
  }));
  const found = { filter, listenedSeconds, messages, bytes, messagesLeftOut, topics, proposals, unread };
  return `${JSON.stringify(found, null, 2)}\n`;
}

/** What was heard, the busiest topics first, and subscriptions to copy. */
export function discoveryText(found: Discovery): string {
  const { filter, listenedSeconds, survey } = found;
  const topics = survey.topics();
  const heard = `${plural(survey.messages, 'message')} on ${plural(topics.length, 'topic')}`;
  const head = `${printable(filter)}: ${heard} in ${figureText(listenedSeconds)} s`;
  if (topics.length === 0) return `${head}. Does this user have the right to read, and does anybody publish?\n`;
  const table = alignCells(
    [HEADINGS, ...topics.slice(0, SHOWN_TOPICS).map((each) => cellsOf(each, listenedSeconds))],
    RIGHT_ALIGNED,
  );
  const more = [
    ...(topics.length > SHOWN_TOPICS
      ? [`… and ${plural(topics.length - SHOWN_TOPICS, 'more topic')}: --json has all`]
      : []),
    ...(survey.messagesLeftOut > 0
      ? [`… and ${plural(survey.messagesLeftOut, 'message')} of further topics: name a part with --filter`]
      : []),
  ];
  return `${[head, '', ...table, ...more, ...proposalLines(found), ...unreadLines(found)].join('\n')}\n`;
}

function cellsOf(each: SurveyedTopic, seconds: number): string[] {
  const name = printable(each.topic);
  return [
    name.length > MAX_TOPIC_LENGTH ? `${name.slice(0, MAX_TOPIC_LENGTH)}…` : name,
    figureText(rateOf(each, seconds)),
    sizeText(Math.round(each.bytes / each.messages)),
    each.retained > 0 ? 'yes' : 'no',
    printable(each.shape.text),
  ];
}

/** What the broker had kept says nothing of how often it comes. */
function rateOf({ messages, retained }: SurveyedTopic, seconds: number): number {
  return Math.round(((messages - retained) / seconds) * 100) / 100;
}

function proposalLines({ proposals }: Discovery): string[] {
  if (proposals.length === 0) return [];
  const lines = proposals.flatMap((proposal) => [
    `  ${printable(JSON.stringify(proposal.subscription))}`,
    `      ${printable(proposalText(proposal))}`,
    ...proposal.overlaps.map((other) => `      overlaps with ${printable(other)}: take one of them, or narrow it`),
  ]);
  return ['', 'Subscriptions that would read them, for mqtt.subscriptions:', ...lines];
}

function proposalText({ exampleTag, name, read, reason, rows, topics, tried }: Proposal): string {
  const example = exampleTag === '' ? '' : `, such as ${exampleTag}`;
  const but = reason === undefined ? '' : ` (${reason.message})`;
  return `${name}: ${plural(topics, 'topic')}; read ${read} of ${plural(tried, 'message')}${but}, ${plural(rows, 'row')}${example}`;
}

function unreadLines({ unread }: Discovery): string[] {
  if (unread.length === 0) return [];
  const lines = unread.slice(0, SHOWN_UNREAD).map(({ example, reason, shape, topics }) => {
    const why = reason === undefined ? '' : `: ${reason.message}`;
    return `  ${printable(`${shape}, ${plural(topics, 'topic')} such as ${example}${why}`)}`;
  });
  const more = unread.length > SHOWN_UNREAD ? [`  … and ${unread.length - SHOWN_UNREAD} more kinds`] : [];
  return ['', 'Not read by any format as it is (a mapping of your own may):', ...lines, ...more];
}
