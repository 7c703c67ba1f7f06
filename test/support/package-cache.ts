import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Packages of other people's software and what is built of them, kept over runs. */
const CACHE = process.env['BRIDGE_BROKER_CACHE'] ?? join(tmpdir(), 'mqtt-oracle-bridge-brokers');
const INSTALL_TIMEOUT_MS = 600_000;
const ERROR_CHARACTERS = 400;

/** Why a broker or a client can't be run here. Said, not hidden: it is skipped with this reason. */
export class Unavailable extends Error {}

/** The path of a command, or undefined. */
export function findCommand(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}

/** The first of the commands that is not there, as a reason to skip. */
export function missingCommand(...names: string[]): string | undefined {
  const missing = names.find((name) => findCommand(name) === undefined);
  return missing === undefined ? undefined : `${missing} is not installed`;
}

/**
 * The folder that `build` has filled, now or at an earlier time: it is made under another name and renamed when it is
 * whole, so that a run that was cut off leaves nothing half done. Another `recipe` makes another folder.
 *
 * @throws Unavailable when the package can't be had.
 */
export async function cached(
  name: string,
  recipe: string,
  build: (directory: string) => Promise<void>,
): Promise<string> {
  const digest = createHash('sha256').update(recipe).digest('hex').slice(0, 8);
  const home = join(CACHE, `${name}-${digest}`);
  if (existsSync(home)) return home;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, `${name}-draft-`));
  try {
    await build(draft);
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw error; // else another run was faster
  }
  return home;
}

/** Runs a tool of the installation. Throws Unavailable with what it said last. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<void> {
  try {
    await promisify(execFile)(command, [...args], {
      cwd,
      env: { ...process.env, ...env },
      timeout: INSTALL_TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    const said = `${stdout}${stderr}`.trim() || message;
    throw new Unavailable(`${basename(command)} ${args[0] ?? ''} failed: ${said.slice(-ERROR_CHARACTERS)}`, {
      cause: error,
    });
  }
}

/** Fetches a package of Maven Central, `group:artifact`, with all that it depends on, into `lib` of the folder. */
export async function copyDependencies(name: string, version: string, directory: string, more = ''): Promise<void> {
  const [group, artifact] = name.split(':');
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>fetched</groupId><artifactId>fetched</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${more}
  </dependency></dependencies>
</project>
`;
  await writeFile(join(directory, 'pom.xml'), pom);
  await run('mvn', ['-B', '-q', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], directory);
}
