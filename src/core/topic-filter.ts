/**
 * MQTT topic filters [MQTT 5.0 section 4.7]: `+` stands for one whole level, a final `#` for any number of levels, the
 * one above it included; neither matches a first level that begins with `$`.
 *
 * A shared subscription has `$share/<group>/` before its filter [MQTT 5.0 section 4.8.2].
 */

const SHARE = '$share';

/** Says what is wrong with a filter, or undefined. */
export function topicFilterProblem(filter: string): string | undefined {
  if (filter === '') return 'is empty';
  if (filter.includes('\u0000')) return 'contains a NUL character';
  if (Buffer.byteLength(filter) > 65_535) return 'is longer than 65,535 bytes';
  const levels = filter.split('/');
  if (isShared(filter) && !hasGroup(filter)) {
    return 'must read $share/<group>/<filter>, the group without + and # [MQTT 5.0 section 4.8.2]';
  }
  for (const [i, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || i !== levels.length - 1)) {
      return '# must be a level of its own, and the last';
    }
    if (level.includes('+') && level !== '+') return '+ must be a level of its own';
  }
  return undefined;
}

/**
 * True when a message on `topic` is delivered to a subscription to `filter`. A prefix `$share/<group>/` is not counted.
 */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = levelsOf(filter);
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+')) return false;
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}

/** True when some topic matches both filters: a broker may then deliver one message twice. */
export function filtersOverlap(a: string, b: string): boolean {
  const left = levelsOf(a);
  const right = levelsOf(b);
  if (isSystem(left[0]) !== isSystem(right[0]) && (isWild(left[0]) || isWild(right[0]))) return false;
  for (let i = 0; ; i += 1) {
    const l = left[i];
    const r = right[i];
    if (l === '#' || r === '#') return true;
    if (l === undefined || r === undefined) return l === r;
    if (l !== r && l !== '+' && r !== '+') return false;
  }
}

/** Of a shared subscription, in good order or not. */
export function isShared(filter: string): boolean {
  return filter === SHARE || filter.startsWith(`${SHARE}/`);
}

/** The levels of the topics that a filter takes in: of a shared subscription, those behind the group. */
export function levelsOf(filter: string): string[] {
  const levels = filter.split('/');
  return isShared(filter) ? levels.slice(2) : levels;
}

/** The filter alone, where it is that of a shared subscription. */
export function withoutGroup(filter: string): string {
  return levelsOf(filter).join('/');
}

/** The same subscription in another group; what is not shared stays as it is. */
export function inGroup(filter: string, group: string): string {
  return isShared(filter) ? `${SHARE}/${group}/${withoutGroup(filter)}` : filter;
}

function hasGroup(filter: string): boolean {
  const [, group = ''] = filter.split('/');
  return group !== '' && !/[+#]/.test(group) && withoutGroup(filter) !== '';
}

function isWild(level: string | undefined): boolean {
  return level === '+' || level === '#';
}

function isSystem(level: string | undefined): boolean {
  return level?.startsWith('$') === true;
}
