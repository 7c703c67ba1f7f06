/** Brokers on the Java virtual machine, from Maven Central. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { RealBroker } from './broker.ts';
import { missingCommand, run } from '../support/package-cache.ts';
import { installArtemis, installJava, PACKAGES } from './packages.ts';

const JAVA_MEMORY = ['-Xmx1g', '-XX:+UseSerialGC'];
/** More than any test queues. HiveMQ's default is 1,000, of which it drops the newest after PUBACK. */
const HIVEMQ_QUEUE = 500_000;

/** What the maker's own start script opens to it. */
const HIVEMQ_OPENS = [
  '--add-opens=java.base/java.lang=ALL-UNNAMED',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED',
  '--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED',
];

const javaMissing = missingCommand('java', 'javac', 'jar', 'mvn');

export const hivemq: RealBroker = {
  name: 'hivemq',
  title: 'HiveMQ CE',
  version: PACKAGES.hivemq.version,
  protocols: [5, 4],
  isPersistent: true,
  missing: javaMissing,
  install: () => installJava('hivemq'),
  prepare: async (home, directory, port) => {
    for (const name of ['conf', 'data', 'extensions']) await mkdir(join(directory, name));
    const config = `<hivemq>
  <listeners><tcp-listener><port>${port}</port><bind-address>127.0.0.1</bind-address></tcp-listener></listeners>
  <persistence><mode>file</mode></persistence>
  <mqtt><queued-messages><max-queue-size>${HIVEMQ_QUEUE}</max-queue-size></queued-messages></mqtt>
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
`;
    await writeFile(join(directory, 'conf', 'config.xml'), config);
    return {
      command: 'java',
      args: [...JAVA_MEMORY, ...HIVEMQ_OPENS, '-cp', `${home}/lib/*:${home}/classes`, 'Main', directory],
      cwd: directory,
      logFile: join(directory, 'broker.log'),
      port,
    };
  },
};

export const moquette: RealBroker = {
  name: 'moquette',
  title: 'Moquette',
  version: PACKAGES.moquette.version,
  protocols: [4],
  isPersistent: false, // it says so, and its sessions are gone after a restart in order
  overwritesInFlight: true, // findings/moquette-overwrites.sh
  missing: javaMissing,
  install: () => installJava('moquette'),
  prepare: async (home, directory, port) => {
    const configFile = join(directory, 'moquette.conf');
    const lines = [
      `port ${port}`,
      'host 127.0.0.1',
      'allow_anonymous true',
      'telemetry_enabled false',
      'persistence_enabled true',
      `data_path ${join(directory, 'data')}`,
    ];
    await mkdir(join(directory, 'data'));
    await writeFile(configFile, `${lines.join('\n')}\n`);
    return {
      command: 'java',
      args: [...JAVA_MEMORY, '-cp', `${home}/lib/*:${home}/classes`, 'Main', configFile],
      cwd: directory,
      logFile: join(directory, 'broker.log'),
      port,
    };
  },
};

export const artemis: RealBroker = {
  name: 'artemis',
  title: 'ActiveMQ Artemis',
  version: PACKAGES.artemis.version,
  protocols: [5, 4],
  isPersistent: true,
  qos2: 'the broker sends a message again under another packet id',
  missing: javaMissing,
  install: installArtemis,
  prepare: async (home, directory, port) => {
    const instance = join(directory, 'instance');
    const access = ['--user', 'admin', '--password', 'admin', '--allow-anonymous'];
    const no = ['--no-web', '--no-amqp-acceptor', '--no-hornetq-acceptor', '--no-stomp-acceptor', '--no-autotune'];
    await run(home, ['create', instance, ...access, ...no, '--host', '127.0.0.1', '--default-port', '0'], directory);
    const file = join(instance, 'etc', 'broker.xml');
    const config = await readFile(file, 'utf8');
    await writeFile(file, config.replace(/(<acceptor name="mqtt">tcp:\/\/[^:]+:)\d+/, `$1${port}`));
    return {
      command: join(instance, 'bin', 'artemis'),
      args: ['run'],
      env: { JAVA_ARGS: JAVA_MEMORY.join(' ') },
      cwd: directory,
      logFile: join(directory, 'broker.log'),
      port,
    };
  },
};
