/** RabbitMQ of the system, mochi-mqtt with a main of ours, amqtt. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { freePort } from '../support/free-port.ts';
import type { RealBroker } from './broker.ts';
import { findCommand, missingCommand } from '../support/package-cache.ts';
import { installAmqtt, installMochi, PACKAGES } from './packages.ts';

/**
 * The script of the package itself. `rabbitmq-server` on the path changes to a user of its own, who can't read our
 * directory.
 */
const RABBITMQ_HOME = '/usr/lib/rabbitmq';
const RABBITMQ_SCRIPT = join(RABBITMQ_HOME, 'bin', 'rabbitmq-server');

/**
 * Messages in flight towards a subscriber. The default is 10, which makes each sync of the bridge's disk one of 10
 * messages at most.
 */
const RABBITMQ_PREFETCH = 1000;

function rabbitmqVersion(): string {
  if (!existsSync(RABBITMQ_SCRIPT)) return '?';
  const name = readdirSync(join(RABBITMQ_HOME, 'lib')).find((entry) => entry.startsWith('rabbitmq_server-'));
  return name?.slice('rabbitmq_server-'.length) ?? '?';
}

export const rabbitmq: RealBroker = {
  name: 'rabbitmq',
  title: 'RabbitMQ, rabbitmq_mqtt',
  version: rabbitmqVersion(),
  protocols: [4], // 5 came with 3.13
  isPersistent: true,
  qos2: 'the broker lowers it to QoS 1',
  missing: existsSync(RABBITMQ_SCRIPT) ? undefined : 'rabbitmq-server is not installed',
  install: () => Promise.resolve(RABBITMQ_SCRIPT),
  prepare: async (home, directory, port) => {
    const [distributionPort, epmdPort] = [await freePort(), await freePort()];
    const configFile = join(directory, 'rabbitmq.conf');
    const pluginsFile = join(directory, 'enabled_plugins');
    const lines = [
      `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`,
      'mqtt.allow_anonymous = true',
      `mqtt.prefetch = ${RABBITMQ_PREFETCH}`,
      'loopback_users = none',
      'listeners.tcp = none',
      'log.console = true',
      'log.console.level = warning',
    ];
    await writeFile(configFile, `${lines.join('\n')}\n`);
    await writeFile(pluginsFile, '[rabbitmq_mqtt].\n');
    await mkdir(join(directory, 'mnesia'));
    const env = {
      HOME: directory, // for Erlang's cookie
      RABBITMQ_BASE: directory,
      RABBITMQ_CONFIG_FILE: configFile,
      RABBITMQ_ENABLED_PLUGINS_FILE: pluginsFile,
      RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_NODENAME: `bridge${port}@localhost`,
      RABBITMQ_DIST_PORT: String(distributionPort),
      ERL_EPMD_PORT: String(epmdPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RUNNING_UNDER_SYSTEMD: 'yes', // the script then gives its place to the broker, which takes SIGTERM itself
    };
    return {
      command: home,
      args: [],
      env,
      cwd: directory,
      logFile: join(directory, 'broker.log'),
      port,
      // Erlang's port mapper makes itself a daemon. It refuses while a node is known to it.
      afterwards: () =>
        new Promise((resolve) => {
          execFile('epmd', ['-port', String(epmdPort), '-kill'], () => resolve());
        }),
    };
  },
};

export const mochi: RealBroker = {
  name: 'mochi',
  title: 'mochi-mqtt',
  version: PACKAGES.mochi.version,
  protocols: [5, 4],
  isPersistent: true,
  missing: missingCommand('go'),
  install: installMochi,
  prepare: (home, directory, port) =>
    Promise.resolve({
      command: home,
      args: [String(port), join(directory, 'sessions.bolt')],
      logFile: join(directory, 'broker.log'),
      port,
    }),
};

export const amqtt: RealBroker = {
  name: 'amqtt',
  title: 'amqtt',
  version: PACKAGES.amqtt.version,
  protocols: [4],
  isPersistent: false,
  missing: findCommand('python3') === undefined ? 'python3 is not installed' : undefined,
  install: installAmqtt,
  prepare: async (home, directory, port) => {
    const configFile = join(directory, 'amqtt.yaml');
    const text = `listeners:
  default:
    type: tcp
    bind: 127.0.0.1:${port}
    max_connections: 100
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
`;
    await writeFile(configFile, text);
    return {
      command: 'python3',
      args: ['-c', 'from amqtt.scripts.broker_script import main; main()', '-c', configFile],
      env: { PYTHONPATH: home },
      logFile: join(directory, 'broker.log'),
      port,
    };
  },
};
