import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The one place where versions of brokers that are not of the system stand. */
export const PACKAGES = {
  hivemq: { from: 'maven', name: 'com.hivemq:hivemq-community-edition-embedded', version: '2025.5' },
  moquette: { from: 'maven', name: 'io.moquette:moquette-broker', version: '0.17' },
  artemis: { from: 'maven', name: 'org.apache.activemq:apache-artemis', version: '2.40.0' },
  mochi: { from: 'go', name: 'github.com/mochi-mqtt/server/v2', version: 'v2.7.9' },
  amqtt: { from: 'pip', name: 'amqtt', version: '0.12.1' },
} as const;

/** Packages and what is built of them, kept over runs. */
const CACHE = process.env['BRIDGE_BROKER_CACHE'] ?? join(tmpdir(), 'mqtt-oracle-bridge-brokers');
const INSTALL_TIMEOUT_MS = 600_000;
const ERROR_CHARACTERS = 400;

/** Why a broker can't be run here. Said, not hidden: its cells are skipped with this reason. */
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

/** A file that lies beside this one. */
export function sourceFile(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
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

/** A Maven project that depends on one package and nothing else; its files come into `lib`. */
async function copyDependencies(name: string, version: string, directory: string, more: string): Promise<void> {
  const [group, artifact] = name.split(':');
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>brokers</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${more}
  </dependency></dependencies>
</project>
`;
  await writeFile(join(directory, 'pom.xml'), pom);
  await run('mvn', ['-B', '-q', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], directory);
}

/** A broker of Maven Central with a main class of ours, compiled: `lib` and `classes`. */
export async function installJava(broker: 'hivemq' | 'moquette'): Promise<string> {
  const { name, version } = PACKAGES[broker];
  const main = sourceFile(`${broker}/Main.java`);
  return cached(broker, `${version}${await readFile(main, 'utf8')}`, async (directory) => {
    await copyDependencies(name, version, directory, '');
    await run('javac', ['-cp', 'lib/*', '-d', 'classes', main], directory);
  });
}

/** ActiveMQ Artemis as its makers pack it; the path of its `artemis` command. */
export async function installArtemis(): Promise<string> {
  const { name, version } = PACKAGES.artemis;
  const alone =
    '<classifier>bin</classifier><type>zip</type>' +
    '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';
  const command = join(`apache-artemis-${version}`, 'bin', 'artemis');
  const home = await cached('artemis', `${version}${alone}${command}`, async (directory) => {
    await copyDependencies(name, version, directory, alone);
    await run('jar', ['xf', `lib/apache-artemis-${version}-bin.zip`], directory);
    await chmod(join(directory, command), 0o755); // `jar` does not keep it
    await rm(join(directory, 'lib'), { recursive: true });
  });
  return join(home, command);
}

/** mochi-mqtt with a main of ours; the path of the program. */
export async function installMochi(): Promise<string> {
  const { name, version } = PACKAGES.mochi;
  const sources = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map((file) => readFile(sourceFile(`mochi/${file}`), 'utf8')),
  );
  if (!sources[0]!.includes(`${name} ${version}`)) throw new Error(`mochi/go.mod has another version than ${version}`);
  const home = await cached('mochi', `${version}${sources.join('')}`, async (directory) => {
    await cp(sourceFile('mochi'), directory, { recursive: true });
    await run('go', ['build', '-o', 'broker', '.'], directory, { CGO_ENABLED: '0' });
  });
  return join(home, 'broker');
}

/** amqtt in a virtual environment of its own; the path of its `amqtt` command. */
export async function installAmqtt(): Promise<string> {
  const { name, version } = PACKAGES.amqtt;
  const home = await cached('amqtt', `${version} in a target folder`, async (directory) => {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', 'site', `${name}==${version}`], directory);
  });
  return join(home, 'site');
}
