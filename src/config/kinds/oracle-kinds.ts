import { parseName } from '../../core/identifier.ts';
import type { SettingKind } from '../setting.ts';
import { isOneLine } from './plain-kinds.ts';
import { textKind } from './text-kind.ts';

const details = ': letters, digits, _, $ and #, a letter first, or anything in double quotes';

export const tableName = textKind('the name of a table', (name) => parseName(name, 2) !== undefined, { details });

export const columnName = textKind('the name of a column', (name) => parseName(name, 1) !== undefined, { details });

/** What other programs take and this driver does not: the text alone shows that it can't connect. */
const OTHERS_FORMS: readonly { readonly form: RegExp; readonly must: string }[] = [
  // As sqlplus takes it.
  {
    form: /^[^()@]*\/[^()@]*@/,
    must: 'must not hold a user or a password: they belong in oracle.user and oracle.password',
  },
  {
    form: /^jdbc:/i,
    must: 'must not be a JDBC URL: of jdbc:oracle:thin:@//host:port/service only host:port/service belongs here',
  },
  {
    form: /^[^\s/()@:]+:\d+:[^\s/()@:]+$/,
    must: 'must be host:port/service: a SID behind a colon is for JDBC. The service is what lsnrctl services shows',
  },
];
/** White space means nothing in a descriptor. */
const isConnectText = (value: string): boolean =>
  isOneLine(value.trim().startsWith('(') ? value.replace(/\s+/g, ' ') : value);
const connectText = textKind('one line of text, or a descriptor', (value) => value !== '' && isConnectText(value), {
  details: ': host:port/service, a name from tnsnames.ora or a connect descriptor',
});

export const connectString: SettingKind = {
  ...connectText,
  check: (value, setting) => {
    const found = OTHERS_FORMS.find(({ form }) => typeof value === 'string' && form.test(value));
    return found === undefined ? connectText.check(value, setting) : [{ must: found.must }];
  },
};
