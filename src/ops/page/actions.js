// @ts-check
import { find, write } from './dom.js';

/**
 * Replay and discard. The token stays in this tab: in its field, and in the tab's storage so that a reload keeps it.
 */
const STORED_AS = 'bridge-token';
const ANSWER_WITHIN_MS = 15_000;

/** @typedef {'replay' | 'discard'} Action */

/** @type {Readonly<Record<Action, string>>} */
const DONE = { replay: 'Replay asked for', discard: 'Discarded' };

/** @type {Readonly<Record<number, string>>} */
const REFUSED = {
  401: 'Refused (401): the token is wrong. Nothing was done.',
  403: 'Refused (403)',
  404: 'There is no such file any more (404)',
  409: 'Can’t be done now (409)',
};

const field = () => /** @type {HTMLInputElement} */ (find('#token'));

export function startActions() {
  field().value = stored();
  field().addEventListener('input', () => store(field().value));
  find('#token-form').addEventListener('submit', (event) => event.preventDefault());
}

/** @param {boolean} isAllowed whether the bridge has a token at all */
export function allowActions(isAllowed) {
  find('#token-form').hidden = !isAllowed;
}

/** Files whose replay was asked for here and is not known to be done. @type {Set<string>} */
const asked = new Set();

/** @param {ReadonlySet<string>} names of all files there are */
export function noteFiles(names) {
  for (const file of asked) {
    if (names.has(file)) continue;
    asked.delete(file);
    tell('ok', `Replayed: ${file}. What was refused again is in a new file, with the reason.`);
  }
}

/**
 * @param {Action} action
 * @param {string} file
 * @param {string} content how much is in it, for the question
 * @param {HTMLButtonElement} button which is off meanwhile
 */
export async function act(action, file, content, button) {
  const token = field().value.trim();
  if (token === '') {
    tell('care', 'Enter the token first: without it nothing can be done from here.');
    field().focus();
    return;
  }
  if (action === 'discard' && !(await isConfirmed(file, content))) {
    tell('ok', `Kept: ${file}`);
    return;
  }
  button.disabled = true;
  try {
    const { tone, text } = await post(action, file, token);
    asked.delete(file);
    if (action === 'replay' && tone === 'ok') asked.add(file);
    tell(tone, text);
  } finally {
    button.disabled = false;
  }
}

/** @param {Action} action @param {string} file @param {string} token */
async function post(action, file, token) {
  try {
    const response = await fetch(`api/backups/${encodeURIComponent(file)}/${action}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    if (response.ok) return { tone: 'ok', text: `${DONE[action]}: ${file}` };
    const why = reasonOf(await response.text());
    const what = REFUSED[response.status] ?? `The bridge answered ${response.status}`;
    return { tone: 'trouble', text: response.status === 401 ? what : `${what}: ${why}` };
  } catch (error) {
    if (error instanceof TypeError && /header|ByteString|ISO-8859-1/i.test(error.message)) {
      return { tone: 'trouble', text: 'The token holds a character that no token can have. Nothing was done.' };
    }
    return { tone: 'trouble', text: `No answer. The list tells whether it was done: ${file}` };
  }
}

/** `{"message": …}`, or plain text. @param {string} body */
function reasonOf(body) {
  try {
    return String(JSON.parse(body).message);
  } catch {
    return body.trim();
  }
}

/** @param {string} file @param {string} content @returns {Promise<boolean>} */
function isConfirmed(file, content) {
  const dialog = /** @type {HTMLDialogElement} */ (find('#confirm'));
  write(
    find('#confirm-text'),
    `${file}, with ${content}, is deleted from the gateway’s disk. They are in no other place unless you downloaded the file.`,
  );
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'discard'), { once: true });
  });
}

/** @param {string} tone @param {string} text */
function tell(tone, text) {
  const message = find('#action-message');
  message.dataset['tone'] = tone;
  write(message, text);
}

/** Storage is refused in some private windows: then a reload asks again. */
function stored() {
  try {
    return sessionStorage.getItem(STORED_AS) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} token */
function store(token) {
  try {
    if (token === '') sessionStorage.removeItem(STORED_AS);
    else sessionStorage.setItem(STORED_AS, token);
  } catch {
    // as above
  }
}
