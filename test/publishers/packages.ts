import { cp, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached, copyDependencies, missingCommand, run, Unavailable } from '../support/package-cache.ts';

/** The one place where versions of publishers' libraries that npm does not have stand. */
const PACKAGES = {
  pysparkplug: { from: 'pip', name: 'pysparkplug', version: '0.6.1', program: 'pysparkplug_node.py' },
  'mqtt-spb-wrapper': { from: 'pip', name: 'mqtt-spb-wrapper', version: '2.1.2', program: 'spb_wrapper.py' },
  tahu: { from: 'maven', name: 'org.eclipse.tahu:tahu-edge', version: '1.0.19', program: 'tahu/TahuNode.java' },
} as const;

export type PublisherName = keyof typeof PACKAGES;

export const PUBLISHER_NAMES = Object.keys(PACKAGES) as readonly PublisherName[];

/** The library logs to the standard output else, where the answers are. */
const LOGGING = 'tahu/logback.xml';
const INSTALL = 'npx tsx scripts/install-publishers.ts';

/** How the program of this folder is started that publishes by the library. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Or why it can't be had. */
export type Found = { readonly launch: Launch } | { readonly missing: string };

type Build = (directory: string) => Promise<void>;

/** Installs the library where it is not installed yet. */
export function install(publisher: PublisherName): Promise<Found> {
  const { from, name, program, version } = PACKAGES[publisher];
  return find(publisher, async (directory) => {
    if (from === 'pip') {
      await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', 'site', `${name}==${version}`], directory);
      return;
    }
    await copyDependencies(name, version, directory);
    await run('javac', ['-nowarn', '-cp', 'lib/*', '-d', 'classes', fileOf(program)], directory);
    await cp(fileOf(LOGGING), join(directory, 'classes', 'logback.xml'));
  });
}

/** Looks for the library, and for nothing on the network: tests must not depend on it. */
export function findInstalled(publisher: PublisherName): Promise<Found> {
  return find(publisher, () => Promise.reject(new Unavailable(`it is not installed: ${INSTALL}`)));
}

async function find(publisher: PublisherName, build: Build): Promise<Found> {
  const { from, program, version } = PACKAGES[publisher];
  const missing = from === 'pip' ? missingCommand('python3') : missingCommand('java', 'javac', 'mvn');
  if (missing !== undefined) return { missing };
  try {
    const recipe = from === 'pip' ? `${version} in a target folder` : version + (await sourcesOf(program));
    const home = await cached(publisher, recipe, build);
    return { launch: from === 'pip' ? launchPython(home, program) : launchJava(home) };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { missing: error.message };
  }
}

/** What is compiled is another one when its source is. */
async function sourcesOf(program: string): Promise<string> {
  const texts = [program, LOGGING].map((name) => readFile(fileOf(name), 'utf8'));
  return (await Promise.all(texts)).join('');
}

function launchPython(home: string, program: string): Launch {
  const env = { PYTHONPATH: join(home, 'site'), PYTHONDONTWRITEBYTECODE: '1' };
  return { command: 'python3', args: [fileOf(program)], env };
}

function launchJava(home: string): Launch {
  const path = [join(home, 'classes'), join(home, 'lib', '*')].join(delimiter);
  return { command: 'java', args: ['-cp', path, 'TahuNode'], env: {} };
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
