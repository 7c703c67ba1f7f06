import { join } from 'node:path';

import { cached, missingCommand, run, Unavailable } from '../support/package-cache.ts';

/** The one place where versions of publishers' libraries that npm does not have stand. */
const PACKAGES = {
  pysparkplug: { name: 'pysparkplug', version: '0.6.1' },
  'mqtt-spb-wrapper': { name: 'mqtt-spb-wrapper', version: '2.1.2' },
} as const;

export type PublisherName = keyof typeof PACKAGES;

export const PUBLISHER_NAMES = Object.keys(PACKAGES) as readonly PublisherName[];

const INSTALL = 'npx tsx scripts/install-publishers.ts';

/** Where Python finds the library, or why it can't be had. */
export type Found = { readonly site: string } | { readonly missing: string };

/** Installs the library where it is not installed yet. */
export function install(publisher: PublisherName): Promise<Found> {
  return find(publisher, async (directory) => {
    const { name, version } = PACKAGES[publisher];
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', 'site', `${name}==${version}`], directory);
  });
}

/** Looks for the library, and for nothing on the network: tests must not depend on it. */
export function findInstalled(publisher: PublisherName): Promise<Found> {
  return find(publisher, () => Promise.reject(new Unavailable(`it is not installed: ${INSTALL}`)));
}

async function find(publisher: PublisherName, build: (directory: string) => Promise<void>): Promise<Found> {
  const missing = missingCommand('python3');
  if (missing !== undefined) return { missing };
  try {
    const home = await cached(publisher, `${PACKAGES[publisher].version} in a target folder`, build);
    return { site: join(home, 'site') };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { missing: error.message };
  }
}
