// @ts-check
import { add, fill, find, setTone, write } from './dom.js';
import { many } from './format.js';

/** @typedef {import('./live.js').Status} Status */

/** @type {readonly { id: string, sign: string, label: string, read: (status: Status) => number }[]} */
const TERMS = [
  { id: 'received', sign: '', label: 'received', read: (s) => s.counters.valuesReceived },
  { id: 'written', sign: '=', label: 'written to Oracle', read: (s) => s.counters.valuesWritten },
  { id: 'already-there', sign: '+', label: 'already there', read: (s) => s.counters.valuesAlreadyThere },
  { id: 'backed-up', sign: '+', label: 'backed up to CSV', read: (s) => s.counters.valuesBackedUp },
  { id: 'rejected', sign: '+', label: 'rejected', read: (s) => s.counters.valuesRejected },
  { id: 'dropped', sign: '+', label: 'dropped', read: (s) => s.counters.valuesDropped },
  { id: 'filtered', sign: '+', label: 'filtered', read: (s) => s.counters.valuesFiltered },
  { id: 'pending', sign: '+', label: 'on the way', read: (s) => s.audit.pending },
];

const whole = new Intl.NumberFormat('en-GB');

/** @type {{ item: HTMLElement, figure: HTMLElement, bar: HTMLElement | undefined }[]} */
let built = [];

/** @returns {typeof built} */
function build() {
  return TERMS.map(({ id, sign, label }) => {
    const item = add(find('#sum'), 'li', id);
    add(item, 'span', 'sign', sign);
    const figure = add(item, 'b');
    const words = add(item, 'span', 'label');
    add(words, 'i', 'swatch').setAttribute('aria-hidden', 'true');
    words.append(label);
    return { item, figure, bar: id === 'received' ? undefined : add(find('#audit-bar'), 'i', id) };
  });
}

/** What was received is the sum of what became of it. @param {Status} status */
export function showAudit(status) {
  const { counters, audit } = status;
  if (built.length === 0) built = build();
  TERMS.forEach(({ read }, i) => {
    const value = read(status);
    const parts = built[i];
    if (parts === undefined) return;
    write(parts.figure, whole.format(value));
    parts.item.classList.toggle('none', value === 0);
    parts.bar?.classList.toggle('none', value === 0);
    parts.bar?.style.setProperty('flex-grow', String(value / Math.max(1, counters.valuesReceived)));
  });
  setTone(find('#audit'), audit.balanced ? 'ok' : 'trouble');
  const off = `${many(Math.abs(audit.difference), 'value')} ${audit.difference > 0 ? 'missing' : 'counted twice'}`;
  fill('audit-verdict', audit.balanced ? 'It adds up.' : `It does not add up: ${off}.`);
  fill('audit-replayed', replayed(counters));
  fill('audit-messages', messages(counters));
}

/** @param {Status['counters']} counters */
function replayed({ valuesBackedUp, valuesReplayed }) {
  if (valuesReplayed > valuesBackedUp) {
    return `Replayed since the start: ${whole.format(valuesReplayed)}, of files of before the start too.`;
  }
  if (valuesBackedUp === 0) return 'Nothing had to be backed up.';
  return `Of ${whole.format(valuesBackedUp)} backed up, ${whole.format(valuesReplayed)} have been replayed into the table.`;
}

/** @param {Status['counters']} counters */
function messages({
  messagesReceived,
  messagesUndecodable,
  messagesSkipped,
  messagesDuplicate,
  messagesMaybeRepeated,
}) {
  const undecodable =
    messagesUndecodable === 0 ? '' : ` ${whole.format(messagesUndecodable)} of them could not be decoded.`;
  const skipped =
    messagesSkipped === 0
      ? ''
      : ` ${whole.format(messagesSkipped)} of them were none that their subscription is for, and were skipped.`;
  const twice =
    messagesDuplicate === 0
      ? ''
      : ` ${whole.format(messagesDuplicate)} came twice from the broker and were stored once.`;
  const maybe =
    messagesMaybeRepeated === 0
      ? ''
      : ` ${whole.format(messagesMaybeRepeated)} without a time of their own may have come twice and were stored.`;
  return `The values came in ${many(messagesReceived, 'message')}.${undecodable}${skipped}${twice}${maybe}`;
}
