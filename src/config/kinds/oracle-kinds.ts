import { parseName } from '../../core/identifier.ts';
import type { SettingKind } from '../setting.ts';
import { isOneLine } from './plain-kinds.ts';
import { textKind } from './text-kind.ts';

const details = ': letters, digits, _, $ and #, a letter first, or anything in double quotes';

export const tableName = textKind('the name of a table', (name) => parseName(name, 2) !== undefined, { details });

export const columnName = textKind('the name of a column', (name) => parseName(name, 1) !== undefined, { details });

/** `user/password@…`, as sqlplus takes it. */
const CREDENTIALS = /^[^()@]*\/[^()@]*@/;
const connectText = textKind('one line of text', (value) => value !== '' && isOneLine(value), {
  details: ': host:port/service, a name from tnsnames.ora or a connect descriptor',
});

export const connectString: SettingKind = {
  ...connectText,
  check: (value, setting) =>
    typeof value === 'string' && CREDENTIALS.test(value)
      ? [{ must: 'must not hold a user or a password: they belong in oracle.user and oracle.password' }]
      : connectText.check(value, setting),
};
