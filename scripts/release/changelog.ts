const PENDING = '## Pending';

/** What stands in the changelog below `## Pending`, without blank lines around; empty where nothing does. */
export function pendingNotes(changelog: string): string {
  const lines = changelog.split('\n');
  const from = lines.indexOf(PENDING);
  if (from === -1) return '';
  const length = lines.slice(from + 1).findIndex((line) => line.startsWith('## '));
  return lines
    .slice(from + 1, length === -1 ? undefined : from + 1 + length)
    .join('\n')
    .trim();
}

/** The changelog with what was pending under the version and its date, and an empty `## Pending` above. */
export function releaseNotes(changelog: string, version: string, date: string): string {
  return changelog.replace(`${PENDING}\n`, () => `${PENDING}\n\n## ${version} — ${date}\n`);
}
