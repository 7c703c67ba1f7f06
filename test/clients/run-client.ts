/** One client against a stand-in of its own: what became of each step. */
import { spawn } from 'node:child_process';

import { type ProfileName, startStandin } from '../support/standin/standin.ts';
import type { Client, Command } from './clients.ts';
import { type Outcome, outcomesOf, type Step } from './steps.ts';

export const PROFILES: readonly ProfileName[] = ['19c', '23ai'];
const USER = 'BRIDGE';
const PASSWORD = 'secret';
/** A client goes through all its steps in seconds; one that hangs is ended. */
const PATIENCE_MS = 60_000;

export interface ClientRun {
  readonly profile: ProfileName;
  readonly outcomes: Readonly<Record<Step, Outcome>>;
  /** Lines of the stand-in about connections that it dropped: there should be none. */
  readonly dropped: readonly string[];
}

interface Printed {
  readonly stdout: string;
  readonly ended: string;
}

function execute(command: Command, more: readonly string[], signal: AbortSignal): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, [...command.args, ...more], {
      env: { ...process.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
      signal,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      const last = stderr.trim().split('\n').at(-1) ?? '';
      resolve({ stdout, ended: killedBy === null ? `ended with ${code}: ${last}` : `hung for ${PATIENCE_MS} ms` });
    });
  });
}

/** Runs the client's program through all steps on a fresh stand-in. Throws when it can't be started. */
export async function runClient(
  client: Client,
  command: Command,
  profile: ProfileName,
  signal: AbortSignal,
): Promise<ClientRun> {
  const dropped: string[] = [];
  const standin = await startStandin({
    profile,
    users: { [USER]: PASSWORD },
    log: (message) => dropped.push(message),
  });
  try {
    const where = [standin.host, String(standin.port), 'FREEPDB1', USER, PASSWORD, 'wrong'];
    const { stdout, ended } = await execute(command, where, signal);
    return { profile, outcomes: outcomesOf(stdout, client.lacks, ended), dropped };
  } finally {
    standin.stop();
  }
}
