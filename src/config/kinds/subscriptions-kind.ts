import { fieldsJsonSchema, isGiven, itemProblems, type Problem } from '../../core/fields.ts';
import { filtersOverlap, topicFilterProblem } from '../../core/topic-filter.ts';
import { parseJson } from '../json-reader.ts';
import type { SettingKind } from '../setting.ts';
import { measuredSchema, readMeasured, withUnitsAllowed } from './measured-keys.ts';
import { EXAMPLE, SUBSCRIPTION_FIELDS, subscriptionProblems } from './subscription-fields.ts';

/** A list of subscriptions: an array with a table of fields of its own, which convict would take unread. */
export const subscriptions: SettingKind = {
  allowed: () => 'a list of subscriptions; in the environment as JSON text',
  check: (value) =>
    Array.isArray(value)
      ? [...itemProblems(value, problemsOf).map(withUnitsAllowed), ...overlaps(value)]
      : [{ must: `must be a list of subscriptions, such as [${EXAMPLE}]`, got: value }],
  parse: parseJson,
  complete: (value) => (value as readonly unknown[]).map(readMeasured),
  jsonSchema: () => ({ type: 'array', minItems: 1, items: measuredSchema(fieldsJsonSchema(SUBSCRIPTION_FIELDS)) }),
};

function problemsOf(subscription: unknown): Problem[] {
  return subscriptionProblems(readMeasured(subscription));
}

/** A broker may send a message that two filters take in once for each of them: it would be written twice. */
function overlaps(list: readonly unknown[]): Problem[] {
  const topics = list.map((item) => (isGiven(item) && typeof item['topic'] === 'string' ? item['topic'] : ''));
  const isGood = (topic: string): boolean => topicFilterProblem(topic) === undefined;
  return topics.flatMap((topic, i) => {
    const earlier = topics.findIndex(
      (other, j) => j < i && isGood(other) && isGood(topic) && filtersOverlap(other, topic),
    );
    if (earlier === -1) return [];
    const other = `${JSON.stringify(topics[earlier])} of subscription [${earlier}]`;
    const why = 'a broker may deliver a message once for each, and its values would be written twice';
    return [{ at: `[${i}].topic`, must: `must not overlap ${other}: ${why}` }];
  });
}
