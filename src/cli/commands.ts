import type { Command } from './command.ts';

/** What a command line without a command means. */
export const DEFAULT_COMMAND = 'run';

/** Loaded when they are asked for, so that `--version` and `check` start at once. */
export const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['run', async () => (await import('./commands/run.ts')).runCommand],
  ['check', async () => (await import('./commands/check.ts')).checkCommand],
  ['schema', async () => (await import('./commands/schema.ts')).schemaCommand],
  ['config', async () => (await import('./commands/config.ts')).configCommand],
  ['backups', async () => (await import('./commands/backups.ts')).backupsCommand],
  ['try', async () => (await import('./commands/try.ts')).tryCommand],
  ['discover', async () => (await import('./commands/discover.ts')).discoverCommand],
  ['status', async () => (await import('./commands/status.ts')).statusCommand],
  ['completion', loadCompletion],
]);

export function loadCommands(): Promise<Command[]> {
  return Promise.all([...COMMANDS.values()].map((load) => load()));
}

async function loadCompletion(): Promise<Command> {
  const { createCompletion } = await import('./commands/completion.ts');
  return createCompletion({ defaultCommand: DEFAULT_COMMAND, commands: loadCommands });
}
