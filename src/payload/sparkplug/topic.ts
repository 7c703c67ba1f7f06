const NAMESPACE = 'spBv1.0';

/** What a message of an edge node or of one of its devices is. */
export type MessageKind = 'birth' | 'data' | 'death' | 'command';

/** What a Sparkplug topic says. */
export interface SparkplugTopic {
  readonly kind: MessageKind;
  readonly group: string;
  readonly node: string;
  /** Empty: the message is the edge node's own. */
  readonly device: string;
  /** `group/node` */
  readonly nodeKey: string;
  /** `group/node`, or `group/node/device`: what the tags are called by. */
  readonly source: string;
}

const KINDS: ReadonlyMap<string, { readonly kind: MessageKind; readonly isDevice: boolean }> = new Map([
  ['NBIRTH', { kind: 'birth', isDevice: false }],
  ['NDATA', { kind: 'data', isDevice: false }],
  ['NDEATH', { kind: 'death', isDevice: false }],
  ['NCMD', { kind: 'command', isDevice: false }],
  ['DBIRTH', { kind: 'birth', isDevice: true }],
  ['DDATA', { kind: 'data', isDevice: true }],
  ['DDEATH', { kind: 'death', isDevice: true }],
  ['DCMD', { kind: 'command', isDevice: true }],
]);

/**
 * `state`: a host application says whether it is there, `spBv1.0/STATE/<id>`, as some libraries do under the group and
 * as version 2 did without the namespace. Undefined: the topic is none of Sparkplug B.
 */
export function parseTopic(topic: string): SparkplugTopic | 'state' | undefined {
  const levels = topic.split('/');
  const [namespace, group = '', type = '', node = '', device = ''] = levels;
  if (namespace === 'STATE') return 'state';
  if (namespace !== NAMESPACE) return undefined;
  if (group === 'STATE' || type === 'STATE') return 'state';
  const known = KINDS.get(type);
  if (known === undefined || levels.length !== (known.isDevice ? 5 : 4)) return undefined;
  if (group === '' || node === '' || (known.isDevice && device === '')) return undefined;
  const nodeKey = `${group}/${node}`;
  const source = known.isDevice ? `${nodeKey}/${device}` : nodeKey;
  return { kind: known.kind, group, node, device, nodeKey, source };
}

/** Where commands to an edge node go. */
export function commandTopic(group: string, node: string): string {
  return `${NAMESPACE}/${group}/NCMD/${node}`;
}

/** Where an edge node's death is told. */
export function deathTopic(group: string, node: string): string {
  return `${NAMESPACE}/${group}/NDEATH/${node}`;
}

/** Where a host application says whether it is there. */
export function stateTopic(hostId: string): string {
  return `${NAMESPACE}/STATE/${hostId}`;
}
