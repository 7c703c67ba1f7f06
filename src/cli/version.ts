import { readFileSync } from 'node:fs';

/** The version in package.json, which lies two levels up from here in `src` and in `dist` alike. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
