import type { Format } from './format.ts';
import { baseTopic, brokerUrls } from './mqtt-formats.ts';
import { columnName, connectString, tableName } from './oracle-formats.ts';
import {
  bridgeId,
  choice,
  decimal,
  host,
  path,
  tagNameTemplate,
  text,
  token,
  wholeNumber,
  yesNo,
} from './plain-formats.ts';
import { subscriptions } from './subscriptions-format.ts';

export type FormatName =
  | 'wholeNumber'
  | 'decimal'
  | 'yesNo'
  | 'choice'
  | 'text'
  | 'path'
  | 'host'
  | 'token'
  | 'bridgeId'
  | 'tagNameTemplate'
  | 'brokerUrls'
  | 'baseTopic'
  | 'subscriptions'
  | 'tableName'
  | 'columnName'
  | 'connectString';

/**
 * Every kind of value, by its name in the schema. None has the name of one of convict's own, which would bring its
 * loose conversions back.
 */
export const FORMATS: Readonly<Record<FormatName, Format>> = {
  wholeNumber,
  decimal,
  yesNo,
  choice,
  text,
  path,
  host,
  token,
  bridgeId,
  tagNameTemplate,
  brokerUrls,
  baseTopic,
  subscriptions,
  tableName,
  columnName,
  connectString,
};
