import { childOf, isDescriptor, parseDescriptor, type DescriptorNode } from '../../core/connect-descriptor.ts';
import { parseName } from '../../core/identifier.ts';
import type { SettingKind } from '../setting.ts';
import { preview } from '../preview.ts';
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
    form: /^(?:thin:|oci:|oci8:)?@/i,
    must: 'must not begin with what JDBC has before the host: only host:port/service',
  },
  { form: /^[^()]*\\/, must: 'must have / and no \\ before the service: host:port/service' },
  {
    form: /^(?!tcps?:)[a-z][a-z0-9+.-]*:\/\//i,
    must: 'must begin with tcp:// or tcps://, or have no protocol: the driver knows no other',
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
    if (typeof value !== 'string') return connectText.check(value, setting);
    const must = OTHERS_FORMS.find(({ form }) => form.test(value.trim()))?.must ?? descriptorProblem(value);
    return must === undefined ? connectText.check(value, setting) : [{ must }];
  },
};

/** What is wrong with a descriptor, so far as its text shows it; undefined for other forms. */
function descriptorProblem(text: string): string | undefined {
  if (!text.trimStart().startsWith('(')) return undefined;
  const root = parseDescriptor(text);
  if (!isDescriptor(root)) return `must be a whole descriptor: ${root.problem} (character ${root.position + 1})`;
  if (root.name !== 'DESCRIPTION' && root.name !== 'DESCRIPTION_LIST')
    return `must begin with (DESCRIPTION= or (DESCRIPTION_LIST=, not (${preview(root.name)}=`;
  const addresses = nodesNamed(root, 'ADDRESS');
  if (addresses.length === 0) return 'must have an (ADDRESS=(PROTOCOL=TCP)(HOST=…)(PORT=1521))';
  const protocols = addresses.map((address) => childOf(address, 'PROTOCOL')?.atom ?? '');
  const strange = protocols.find((protocol) => !/^tcps?$/i.test(protocol));
  return strange === undefined
    ? undefined
    : 'must have (PROTOCOL=TCP) or (PROTOCOL=TCPS) in each ADDRESS: the driver knows no other';
}

function nodesNamed(node: DescriptorNode, name: string): DescriptorNode[] {
  return [...(node.name === name ? [node] : []), ...node.children.flatMap((child) => nodesNamed(child, name))];
}
