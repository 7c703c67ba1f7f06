import { readFile, rm, chmod, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached, copyDependencies, run } from '../support/package-cache.ts';

/** The one place where versions of brokers that are not of the system stand. */
export const PACKAGES = {
  hivemq: { from: 'maven', name: 'com.hivemq:hivemq-community-edition-embedded', version: '2025.5' },
  moquette: { from: 'maven', name: 'io.moquette:moquette-broker', version: '0.17' },
  artemis: { from: 'maven', name: 'org.apache.activemq:apache-artemis', version: '2.40.0' },
  mochi: { from: 'go', name: 'github.com/mochi-mqtt/server/v2', version: 'v2.7.9' },
  amqtt: { from: 'pip', name: 'amqtt', version: '0.12.1' },
} as const;

/** A file that lies beside this one. */
export function sourceFile(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** A broker of Maven Central with a main class of ours, compiled: `lib` and `classes`. */
export async function installJava(broker: 'hivemq' | 'moquette'): Promise<string> {
  const { name, version } = PACKAGES[broker];
  const main = sourceFile(`${broker}/Main.java`);
  return cached(broker, `${version}${await readFile(main, 'utf8')}`, async (directory) => {
    await copyDependencies(name, version, directory);
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
