import type { ColumnContent } from './column-content.ts';
import { suggestion } from './suggestion.ts';
import type { TagValues } from './tag-values.ts';
import type { DetailNeeds } from './value-details.ts';

/*
 * What a further column of the table holds, as the configuration writes it:
 *
 *     'gateway-01'      a text, the same in each row; '' in it is an apostrophe
 *     42                a number
 *     {2}               a level of the topic, from 1; NULL where it has none such
 *     {retained}        a part: see PARTS
 *     line {2}/{topic}  text and parts: a text, in which a part that there is not is empty
 */

type Read = (values: TagValues, i: number) => string | number | null;

/** What a column of the table is for, so far as its type depends on it. */
export type FurtherKind = 'part' | 'flag' | 'code' | 'sequence' | 'number' | 'time';

/** A further column, from its text. */
export interface FurtherContent {
  readonly content: ColumnContent;
  readonly kind: FurtherKind;
  /** The type that the proposed DDL gives it. */
  readonly type: string;
  readonly needs: DetailNeeds;
  /** Which rows have NULL in it; undefined: none. */
  readonly emptyFor: string | undefined;
}

interface Part {
  readonly read: Read;
  readonly kind: FurtherKind;
  readonly type: string;
  readonly needs: DetailNeeds;
  readonly emptyFor?: string;
}

const NOTHING: DetailNeeds = { origin: false, qualityCode: false };
const ORIGIN: DetailNeeds = { origin: true, qualityCode: false };
const QUALITY_CODE: DetailNeeds = { origin: false, qualityCode: true };

/** All that may stand in braces, besides a number for a level of the topic. */
const PARTS: Readonly<Record<string, Part>> = {
  topic: {
    read: (values, i) => values.origins?.[i]?.topic ?? null,
    kind: 'part',
    type: 'VARCHAR2(1000 CHAR)',
    needs: ORIGIN,
  },
  retained: {
    read: (values, i) => {
      const retained = values.origins?.[i]?.retained;
      return retained === undefined ? null : Number(retained);
    },
    kind: 'flag',
    type: 'NUMBER(1)',
    needs: ORIGIN,
  },
  messageNo: { read: (values, i) => values.messageNos[i]!, kind: 'sequence', type: 'NUMBER(19)', needs: NOTHING },
  valueNo: { read: (values, i) => values.valueNos[i]!, kind: 'code', type: 'NUMBER(10)', needs: NOTHING },
  qualityCode: {
    read: (values, i) => nullWhenNaN(values.details?.[i]?.qualityCode),
    kind: 'code',
    type: 'NUMBER(10)',
    needs: QUALITY_CODE,
    emptyFor: 'values whose quality is no number',
  },
};

const LEVEL = /^[1-9]\d{0,4}$/;
const PART = /\{([^{}]*)\}/;
const CONSTANT = /^'(?:[^']|'')*'$/;
const NUMBER = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)$/;
const LEVEL_TYPE = 'VARCHAR2(255 CHAR)';
const TEMPLATE_TYPE = 'VARCHAR2(1000 CHAR)';
const SHORTEST_CONSTANT = 64;

/** What may stand there, for errors and documentation. */
export const FURTHER_CONTENT =
  `a text in single quotes such as 'gateway-01', a number, or text with ` +
  `${Object.keys(PARTS)
    .map((name) => `{${name}}`)
    .join(', ')} or {2} for a level of the topic`;

/** What a further column holds; what is wrong with the text, as `must …` or `is …`, where it means nothing. */
export function parseFurtherContent(given: string): FurtherContent | string {
  const text = given.trim();
  if (CONSTANT.test(text)) return constantText(text.slice(1, -1).replaceAll("''", "'"));
  if (NUMBER.test(text)) {
    const number = Number(text) + 0;
    const content: ColumnContent = { holds: 'decimal', read: () => number };
    return { content, kind: 'number', type: 'NUMBER', needs: NOTHING, emptyFor: undefined };
  }
  const pieces = given.split(/(\{[^{}]*\})/).filter((piece) => piece !== '');
  const parts = pieces.map((piece) => (PART.test(piece) ? partNamed(piece.slice(1, -1)) : literal(piece)));
  const wrong = parts.find((part) => typeof part === 'string');
  if (wrong !== undefined) return wrong;
  if (!pieces.some((piece) => PART.test(piece))) return `must be ${FURTHER_CONTENT}`;
  const good = parts as readonly Part[];
  const [only] = good;
  return good.length === 1 && only !== undefined ? singlePart(only) : template(good);
}

function constantText(text: string): FurtherContent {
  const length = Math.max(SHORTEST_CONSTANT, text.length);
  return {
    content: { holds: 'text', read: () => text },
    kind: 'part',
    type: `VARCHAR2(${length} CHAR)`,
    needs: NOTHING,
    emptyFor: text === '' ? 'values, as an empty text is NULL' : undefined,
  };
}

function partNamed(name: string): Part | string {
  if (LEVEL.test(name)) return level(Number(name));
  if (Object.hasOwn(PARTS, name)) return PARTS[name]!;
  const known = Object.keys(PARTS);
  return `must not have {${name.slice(0, 50)}} in it, which is no part${suggestion(name, known)}: ${FURTHER_CONTENT}`;
}

function level(number: number): Part {
  return {
    read: (values, i) => values.origins?.[i]?.levels[number - 1] ?? null,
    kind: 'part',
    type: LEVEL_TYPE,
    needs: ORIGIN,
    emptyFor: `values whose topic has less than ${number} levels`,
  };
}

function literal(text: string): Part | string {
  if (/[{}]/.test(text)) return 'must have { and } in pairs, and nothing but the name of a part between them';
  return { read: () => text, kind: 'part', type: '', needs: NOTHING };
}

function singlePart({ emptyFor, kind, needs, read, type }: Part): FurtherContent {
  const content: ColumnContent =
    kind === 'part'
      ? { holds: 'text', read: (values, i) => read(values, i) as string | null }
      : { holds: 'decimal', read: (values, i) => read(values, i) as number | null };
  return { content, kind, type, needs, emptyFor };
}

function template(parts: readonly Part[]): FurtherContent {
  const readers = parts.map(({ read }) => read);
  const read = (values: TagValues, i: number): string => {
    let text = '';
    for (const each of readers) text += String(each(values, i) ?? '');
    return text;
  };
  const needs = allNeeds(parts.map((part) => part.needs));
  return { content: { holds: 'text', read }, kind: 'part', type: TEMPLATE_TYPE, needs, emptyFor: undefined };
}

export function allNeeds(each: readonly DetailNeeds[]): DetailNeeds {
  return { origin: each.some(({ origin }) => origin), qualityCode: each.some(({ qualityCode }) => qualityCode) };
}

function nullWhenNaN(number: number | undefined): number | null {
  return number === undefined || Number.isNaN(number) ? null : number;
}
