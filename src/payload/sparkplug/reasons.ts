import { reasonsOf } from '../reasons.ts';

/** Why a message of Sparkplug B can't be decoded. */
export const sparkplugReason = reasonsOf({
  SPARKPLUG_TOPIC: (found) => `the topic must be spBv1.0/<group>/<message type>/<edge node>[/<device>], not ${found}`,
  SPARKPLUG_MALFORMED: (found) => `the payload is none of Sparkplug B: ${unquoted(found)}`,
  SPARKPLUG_UNKNOWN_METRIC: (found) => `no birth that is known tells of ${unquoted(found)}`,
  SPARKPLUG_BIRTHS_FULL: (found) => `the birth can not be kept: ${unquoted(found)}`,
});

/** The words are our own. */
function unquoted(found: string): string {
  return found.replaceAll('"', '');
}
