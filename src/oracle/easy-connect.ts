/** What of an Easy Connect string decides how a log-on goes about its addresses. */
export interface EasyConnect {
  readonly hosts: readonly string[];
  /** Behind the question mark, names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The same with the addresses in their order. */
  readonly inOrder: string;
}

const DEFAULT_PORT = '1521';

/**
 * Reads `[protocol://]host[,host…][:port][;…][/service][?name=value&…]`. [Oracle Database Net Services Reference, "Easy
 * Connect Plus"; node-oracledb `lib/thin/sqlnet/ezConnectResolver.js`]
 *
 * The driver sets LOAD_BALANCE=ON for several hosts, within the groups of `;` too. A parameter of one's own is put
 * behind that and wins; but the groups have no parameter, so that they become one list here.
 */
export function readEasyConnect(text: string): EasyConnect {
  const compact = text.replace(/\s/g, '');
  const mark = compact.indexOf('?');
  const address = mark === -1 ? compact : compact.slice(0, mark);
  const parameters = readParameters(mark === -1 ? '' : compact.slice(mark + 1));
  const protocol = /^(?:[A-Za-z0-9]+:)?\/\//.exec(address)?.[0] ?? '';
  const slash = address.indexOf('/', protocol.length);
  const hostInfo = slash === -1 ? address.slice(protocol.length) : address.slice(protocol.length, slash);
  const groups = hostInfo.split(';').filter((group) => group !== '');
  const hosts = groups.flatMap((group) => group.split(',').map(hostOf)).filter((host) => host !== '');
  if (hosts.length < 2 || parameters.has('load_balance')) return { hosts, parameters, inOrder: text };
  const list = groups.length === 1 ? hostInfo : groups.map(withPort).join(',');
  const rest = slash === -1 ? '' : address.slice(slash);
  const more = mark === -1 ? '?' : `${compact.slice(mark)}&`;
  return { hosts, parameters, inOrder: `${protocol}${list}${rest}${more}load_balance=off` };
}

function readParameters(text: string): Map<string, string> {
  return new Map(
    text.split('&').flatMap((pair): [string, string][] => {
      const at = pair.indexOf('=');
      return at < 1 ? [] : [[pair.slice(0, at).toLowerCase(), pair.slice(at + 1).replaceAll('"', '')]];
    }),
  );
}

function hostOf(text: string): string {
  return text.startsWith('[') ? text.slice(1).replace(/\].*$/, '') : text.replace(/:\d*$/, '');
}

/** A port holds for the hosts before it, within its group; the last ones of a group have the default. */
function withPort(group: string): string {
  return /:\d+$/.test(group.replace(/\[[^\]]*\]/g, '')) ? group : `${group.replace(/:$/, '')}:${DEFAULT_PORT}`;
}
