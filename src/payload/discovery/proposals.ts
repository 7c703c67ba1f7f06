import type { Reason } from '../../core/errors.ts';
import { completed } from '../../core/fields.ts';
import { TagValues } from '../../core/tag-values.ts';
import { filtersOverlap, topicMatches } from '../../core/topic-filter.ts';
import { createDecoder, type Route } from '../decoder.ts';
import type { FormatProposal, PayloadFormat } from '../format.ts';
import { FORMATS, type FormatName } from '../formats.ts';
import type { SurveyedTopic } from './topic-survey.ts';

/** A subscription that would read some topics, tried on what they sent. */
export interface Proposal {
  /** As it stands in `mqtt.subscriptions`. */
  readonly subscription: { readonly topic: string; readonly format: FormatName } & Readonly<Record<string, unknown>>;
  /** How the format, or its preset, is called. */
  readonly name: string;
  readonly topics: number;
  /** Messages that it was tried on, those that it read, and the rows of these. */
  readonly tried: number;
  readonly read: number;
  readonly rows: number;
  /** One of the names that the rows get; empty where there is none. */
  readonly exampleTag: string;
  /** Of the first message that it did not read, or value that would be rejected. */
  readonly reason: Reason | undefined;
  /** Filters of other proposals that take in some of the same topics: subscriptions must not overlap. */
  readonly overlaps: readonly string[];
}

/** Topics that no format reads. */
export interface Unread {
  readonly shape: string;
  readonly topics: number;
  readonly example: string;
  /** What the format that came nearest says. */
  readonly reason: Reason | undefined;
}

export interface Proposals {
  readonly proposals: readonly Proposal[];
  readonly unread: readonly Unread[];
}

const MAX_SAMPLES = 50;
const MAX_LEVELS = 20;
const TAG_NAME = '{plc}.{tag}';
const INITIAL_CAPACITY = 64;

/**
 * Subscriptions that would read these topics: of each group of topics that are alike, the first format, or preset, that
 * reads all that was heard of it. `formats`: those to choose from, the most particular first.
 */
export function propose(
  topics: readonly SurveyedTopic[],
  formats: readonly PayloadFormat<FormatName>[] = FORMATS,
): Proposals {
  const proposals: Proposal[] = [];
  const unread: Unread[] = [];
  for (const group of groupsOf(topics)) {
    const trials = candidatesFor(group, formats).map((candidate) => tryOn(group, candidate));
    const best =
      trials.find(isWhole) ??
      trials.find(({ candidate, read }) => candidate.isSure && (read > 0 || candidate.proposal.ownsTopic));
    if (best !== undefined) proposals.push(proposalOf(group, best));
    else unread.push(unreadOf(group, trials));
  }
  const filters = proposals.map(({ subscription }) => subscription.topic);
  return { proposals: proposals.map((proposal, i) => withOverlaps(proposal, filters.toSpliced(i, 1))), unread };
}

/** Topics of one depth and beginning, whose payloads are alike; those of Sparkplug are all one group. */
function groupsOf(topics: readonly SurveyedTopic[]): SurveyedTopic[][] {
  const groups = new Map<string, SurveyedTopic[]>();
  for (const each of topics) {
    const levels = each.topic.split('/');
    const beginning = levels[0] === '' ? `/${levels[1]}` : levels[0];
    const key = each.shape.kind === 'sparkplug' ? 'sparkplug' : `${levels.length} ${beginning} ${each.shape.kind}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

interface Candidate {
  /** As it is proposed, without what is left to its default. */
  readonly subscription: Route;
  readonly route: Route;
  readonly proposal: FormatProposal;
  /** The topics alone say that it is this format. */
  readonly isSure: boolean;
}

function candidatesFor(group: readonly SurveyedTopic[], formats: readonly PayloadFormat<FormatName>[]): Candidate[] {
  const all = formats.flatMap((format) =>
    (format.proposals ?? []).flatMap((proposal) => candidatesOf(group, format, proposal)),
  );
  const sure = all.filter(({ isSure }) => isSure);
  return sure.length > 0 ? sure : all;
}

/** Without templates, where the payload may name its PLC, and with them. */
function candidatesOf(
  group: readonly SurveyedTopic[],
  format: PayloadFormat<FormatName>,
  proposal: FormatProposal,
): Candidate[] {
  const { topic: own } = proposal;
  if (own !== undefined && !group.every(({ topic }) => topicMatches(own, topic))) return [];
  const { filter, varying } = filterOf(group);
  const topic = own ?? filter;
  const said = format.says(proposal.options);
  const templates = templatesFor(topic, varying);
  const withTopic = {
    plcCode: templates.plcCode,
    tagAddress: said.tagAddress ? '' : templates.tagAddress,
  };
  const without = { plcCode: '', tagAddress: '' };
  const isSure = own !== undefined;
  const given = isSure ? [without] : said.plcCode ? [without, withTopic] : [withTopic];
  return given.map((each) => {
    const subscription = { topic, format: format.name, ...each, ...proposal.options };
    const route = { ...subscription, ...completed<object>(format.options, proposal.options) };
    return { subscription, route, proposal, isSure };
  });
}

/** The narrowest filter of that many levels, and which of them, from 1, are wildcards. */
function filterOf(group: readonly SurveyedTopic[]): { readonly filter: string; readonly varying: readonly number[] } {
  const all = group.map(({ topic }) => topic.split('/'));
  const [first = []] = all;
  const isSame = (i: number): boolean => all.every((levels) => levels[i] === first[i]);
  const levels = first.map((level, i) => (isSame(i) ? level : '+'));
  return { filter: levels.join('/'), varying: levels.flatMap((level, i) => (level === '+' ? [i + 1] : [])) };
}

/** The last level is the tag; the others that vary, or else the one before it, are the PLC. */
function templatesFor(
  filter: string,
  varying: readonly number[],
): { readonly plcCode: string; readonly tagAddress: string } {
  const count = filter.split('/').length;
  const others = varying.filter((level) => level !== count).slice(0, MAX_LEVELS);
  const plcLevels = others.length > 0 ? others : [Math.max(1, count - 1)];
  return { plcCode: plcLevels.map((level) => `{${level}}`).join('-'), tagAddress: `{${count}}` };
}

interface Trial {
  readonly candidate: Candidate;
  readonly tried: number;
  readonly read: number;
  readonly rows: number;
  readonly rejected: number;
  readonly exampleTag: string;
  readonly reason: Reason | undefined;
}

function tryOn(group: readonly SurveyedTopic[], candidate: Candidate): Trial {
  const values = new TagValues(INITIAL_CAPACITY);
  const samples = group.filter(({ sample }) => sample !== undefined).slice(0, MAX_SAMPLES);
  const result = { read: 0, rows: 0, rejected: 0, exampleTag: '' };
  let reason: Reason | undefined;
  const decode = decoderOf(candidate.route);
  for (const [i, { sample, topic }] of samples.entries()) {
    values.clear();
    const outcome = decode({ number: i + 1, topic, payload: sample!, receivedAtMs: 0 }, values);
    if (typeof outcome === 'object') reason ??= outcome;
    if (outcome !== undefined) continue;
    const problems = values.problems.slice(0, values.length).filter((problem) => problem !== undefined);
    reason ??= problems[0];
    result.read += 1;
    result.rows += values.length;
    result.rejected += problems.length;
    if (result.exampleTag === '' && values.length > 0) result.exampleTag = values.tags[0]!.name;
  }
  return { candidate, tried: samples.length, ...result, reason };
}

/** What can't be compiled, or throws, reads nothing. */
function decoderOf(route: Route): ReturnType<typeof createDecoder>['decode'] {
  const broken: Reason = { code: 'INTERNAL', message: 'the decoder failed' };
  try {
    const decoder = createDecoder([route], TAG_NAME);
    return (message, into) => {
      try {
        return decoder.decode(message, into);
      } catch {
        return broken;
      }
    };
  } catch {
    return () => broken;
  }
}

function isWhole({ read, rejected, rows, tried }: Trial): boolean {
  return tried > 0 && read === tried && rows > 0 && rejected === 0;
}

function proposalOf(group: readonly SurveyedTopic[], trial: Trial): Proposal {
  const { candidate, exampleTag, read, reason, rows, tried } = trial;
  const { plcCode, tagAddress, ...rest } = candidate.subscription;
  const templates = { ...(plcCode === '' ? {} : { plcCode }), ...(tagAddress === '' ? {} : { tagAddress }) };
  const subscription = { ...rest, ...templates };
  return {
    subscription,
    name: candidate.proposal.name,
    topics: group.length,
    tried,
    read,
    rows,
    exampleTag,
    reason,
    overlaps: [],
  };
}

/** `others`: the filters of the other proposals. */
function withOverlaps(proposal: Proposal, others: readonly string[]): Proposal {
  return { ...proposal, overlaps: others.filter((other) => filtersOverlap(other, proposal.subscription.topic)) };
}

function unreadOf(group: readonly SurveyedTopic[], trials: readonly Trial[]): Unread {
  const nearest = trials.toSorted((a, b) => b.rows - b.rejected - (a.rows - a.rejected))[0];
  const [first] = group;
  return { shape: first!.shape.text, topics: group.length, example: first!.topic, reason: nearest?.reason };
}
