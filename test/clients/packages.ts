/** Clients as their makers publish them: fetched and built once, with the program that goes through the steps. */
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached, copyDependencies, run } from '../support/package-cache.ts';

/** The one place where the versions of clients stand that are fetched. */
export const VERSIONS = {
  goOra: 'v2.8.24',
  ojdbc11: '23.26.4.0.0',
  ojdbc17: '23.26.3.0.0',
  rust: '26.0.0-beta.5',
} as const;

export function program(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** node-oracledb of npm; the folder to require. Its install script only says which files of the package it is using. */
export async function installNode(version: string): Promise<string> {
  const home = await cached(`node-oracledb-${version}`, version, async (directory) => {
    const options = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', '.'];
    await run('npm', ['install', ...options, `oracledb@${version}`], directory);
  });
  return join(home, 'node_modules', 'oracledb');
}

/** python-oracledb of PyPI; the folder for PYTHONPATH. */
export async function installPython(version: string): Promise<string> {
  const home = await cached(`python-oracledb-${version}`, version, async (directory) => {
    const options = ['--quiet', '--disable-pip-version-check', '--root-user-action=ignore', '--target', 'site'];
    await run('python3', ['-m', 'pip', 'install', ...options, `oracledb==${version}`], directory);
  });
  return join(home, 'site');
}

/** go-ora with our program; its path. */
export async function installGo(): Promise<string> {
  const sources = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map((file) => readFile(program(`go/${file}`), 'utf8')),
  );
  if (!sources[0]!.includes(`go-ora/v2 ${VERSIONS.goOra}`)) throw new Error(`go/go.mod is not for ${VERSIONS.goOra}`);
  const home = await cached('go-ora', sources.join(''), async (directory) => {
    await cp(program('go'), directory, { recursive: true });
    await run('go', ['build', '-o', 'steps', '.'], directory, { CGO_ENABLED: '0' });
  });
  return join(home, 'steps');
}

/** A JDBC driver of Maven Central with our program; the class path. */
export async function installJdbc(artifact: 'ojdbc11' | 'ojdbc17'): Promise<string> {
  const main = program('java/Main.java');
  const recipe = `${VERSIONS[artifact]}${await readFile(main, 'utf8')}`;
  const home = await cached(artifact, recipe, async (directory) => {
    await copyDependencies(`com.oracle.database.jdbc:${artifact}`, VERSIONS[artifact], directory);
    await run('javac', ['-cp', 'lib/*', '-d', 'classes', main], directory);
  });
  return `${join(home, 'classes')}:${join(home, 'lib', '*')}`;
}

/** Oracle's driver for Rust with our program; its path. The lock file keeps what it is built of. */
export async function installRust(): Promise<string> {
  const files = ['Cargo.toml', 'Cargo.lock', 'main.rs'];
  const sources = await Promise.all(files.map((file) => readFile(program(`rust/${file}`), 'utf8')));
  if (!sources[0]!.includes(`"=${VERSIONS.rust}"`)) throw new Error(`rust/Cargo.toml is not for ${VERSIONS.rust}`);
  const home = await cached('rust-oracledb', sources.join(''), async (directory) => {
    await mkdir(join(directory, 'src'));
    for (const file of files)
      await cp(program(`rust/${file}`), join(directory, file === 'main.rs' ? 'src/main.rs' : file));
    await run('cargo', ['build', '--quiet', '--locked'], directory);
  });
  return join(home, 'target', 'debug', 'steps');
}
