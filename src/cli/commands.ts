import type { Command } from './command.ts';

/** Loaded when they are asked for, so that `--version` and `check` start at once. */
export const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['run', async () => (await import('./run.ts')).runCommand],
  ['check', async () => (await import('./check.ts')).checkCommand],
  ['schema', async () => (await import('./schema.ts')).schemaCommand],
  ['config', async () => (await import('./config.ts')).configCommand],
  ['backups', async () => (await import('./backups.ts')).backupsCommand],
  ['status', async () => (await import('./status.ts')).statusCommand],
  ['completion', async () => (await import('./completion.ts')).completionCommand],
]);

/** What a command line without a command means. */
export const DEFAULT_COMMAND = 'run';

export function loadCommands(): Promise<Command[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()));
}
