/** Every client that the stand-in is held against, in the order of the table in its README. */
import { spawnSync } from 'node:child_process';

import { missingCommand } from '../support/package-cache.ts';
import { installGo, installJdbc, installNode, installPython, installRust, program, VERSIONS } from './packages.ts';
import type { Step } from './steps.ts';

export interface Command {
  readonly file: string;
  /** Before host, port, service, user, password and a wrong password. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Client {
  readonly name: string;
  readonly version: string;
  /** Part of .ci/run. */
  readonly inCi: boolean;
  /** What its driver does not have. */
  readonly lacks: readonly Step[];
  /** What is not installed here, or undefined. */
  readonly missing: () => string | undefined;
  /** Throws Unavailable when its package can't be had. */
  readonly install: () => Promise<Command>;
}

const DEBIAN_PYTHON = '/usr/bin/python3';

/** Two-phase transactions came later to the thin modes of these two. */
const OLD_LACKS: readonly Step[] = ['version text', 'two-phase refused'];

function node(version: string, { inCi = false, lacks = ['version text'] as readonly Step[] } = {}): Client {
  return {
    name: 'node-oracledb',
    version,
    inCi,
    lacks,
    missing: () => missingCommand('npm'),
    install: async () => ({ file: process.execPath, args: [program('node/steps.mjs'), await installNode(version)] }),
  };
}

function python(version: string, inCi = false): Client {
  return {
    name: 'python-oracledb',
    version,
    inCi,
    lacks: ['version text'],
    missing: () => missingCommand('python3'),
    install: async () => ({
      file: 'python3',
      args: [program('python/steps.py')],
      env: { PYTHONPATH: await installPython(version) },
    }),
  };
}

const debianPython: Client = {
  name: 'python-oracledb',
  version: "Debian's",
  inCi: true,
  lacks: OLD_LACKS,
  missing: () =>
    spawnSync(DEBIAN_PYTHON, ['-c', 'import oracledb']).status === 0
      ? undefined
      : `${DEBIAN_PYTHON} cannot import oracledb (apt-get install python3-oracledb)`,
  install: () => Promise.resolve({ file: DEBIAN_PYTHON, args: [program('python/steps.py')] }),
};

function jdbc(artifact: 'ojdbc11' | 'ojdbc17', inCi = false): Client {
  return {
    name: artifact,
    version: VERSIONS[artifact],
    inCi,
    lacks: ['parse only', 'change of password refused', 'two-phase refused'],
    missing: () => missingCommand('mvn', 'javac', 'java'),
    install: async () => ({ file: 'java', args: ['-cp', await installJdbc(artifact), 'Main'] }),
  };
}

const goOra: Client = {
  name: 'go-ora',
  version: VERSIONS.goOra,
  inCi: true,
  lacks: ['version text', 'parse only', 'change of password refused', 'two-phase refused'],
  missing: () => missingCommand('go'),
  install: async () => ({ file: await installGo(), args: [] }),
};

const rust: Client = {
  name: 'oracledb (Rust)',
  version: VERSIONS.rust,
  inCi: false,
  lacks: ['version text', 'parse only', 'two-phase refused'],
  missing: () => missingCommand('cargo'),
  install: async () => ({ file: await installRust(), args: [] }),
};

export const CLIENTS: readonly Client[] = [
  node('6.5.0', { inCi: true, lacks: OLD_LACKS }),
  node('6.5.1', { lacks: OLD_LACKS }),
  node('6.10.0'),
  node('7.0.1'),
  node('26.0.0', { inCi: true }),
  debianPython,
  python('3.4.2'),
  python('26.1.0', true),
  rust,
  goOra,
  jdbc('ojdbc11'),
  jdbc('ojdbc17', true),
];
