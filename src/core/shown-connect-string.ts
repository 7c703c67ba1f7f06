/** A value behind a name that is for secrets, in a descriptor or behind the question mark of an Easy Connect string. */
const SECRET = /(\w*(?:password|passwd|secret|token|private_key)\w*\s*=\s*)[^()&\s]+/gi;
/** `user/password@`, which sqlplus takes and the configuration refuses. */
const CREDENTIALS = /^[^()@]*@/;
const MAX_LENGTH = 500;

/** `oracle.connectString` for a page or a log: in one line, without what could be a secret, and not too long. */
export function shownConnectString(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ').replace(CREDENTIALS, '').replaceAll(SECRET, '$1…');
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH)}…`;
}
