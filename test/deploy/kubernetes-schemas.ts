import { join } from 'node:path';

import { cached, missingCommand, run, Unavailable } from '../support/package-cache.ts';

/** JSON Schemas of Kubernetes' objects, strict ones too, with a program that holds files against them. */
const PACKAGE = 'kubernetes-validate==1.37.0';
const INSTALL = 'npx tsx scripts/install-validators.ts';

/** The folder of Python packages that has it, or why it can't be had. */
export type Found = { readonly site: string } | { readonly missing: string };

/** Installs it where it is not installed yet. */
export function installSchemas(): Promise<Found> {
  return find((directory) =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--target', 'site', PACKAGE], directory),
  );
}

/** Looks for it, and for nothing on the network: tests must not depend on it. */
export function findSchemas(): Promise<Found> {
  return find(() => Promise.reject(new Unavailable(`it is not installed: ${INSTALL}`)));
}

async function find(build: (directory: string) => Promise<void>): Promise<Found> {
  const missing = missingCommand('python3');
  if (missing !== undefined) return { missing };
  try {
    return { site: join(await cached('kubernetes-validate', PACKAGE, build), 'site') };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { missing: error.message };
  }
}
