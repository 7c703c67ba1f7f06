import { execFile, type ExecFileException } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Why tests with these programs are to be skipped. In CI they never are: they fail where one is missing. */
export function missingTool(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => toolPath(name) === undefined);
  return missing.length === 0 || process.env['CI'] !== undefined ? undefined : `${missing.join(' and ')} not installed`;
}

function toolPath(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return directories.map((directory) => join(directory, name)).find((path) => isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Ended {
  readonly exitCode: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; throws only when there is none. */
export function run(
  program: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    execFile(toolPath(program) ?? program, [...args], options, (error: ExecFileException | null, stdout, stderr) => {
      if (error !== null && typeof error.code === 'string') reject(error);
      else resolve({ exitCode: error?.code ?? error?.signal ?? 0, stdout, stderr });
    });
  });
}

/** A YAML file as an object, read by Python's yaml; see `yamlMissing`. */
export async function readYaml(file: string): Promise<unknown> {
  const script = 'import sys, json, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)';
  const { exitCode, stdout, stderr } = await run('/usr/bin/python3', ['-c', script, file]);
  if (exitCode !== 0) throw new Error(`${file}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Debian's python3-yaml is of Debian's own Python. */
export async function yamlMissing(): Promise<string | undefined> {
  if (process.env['CI'] !== undefined) return undefined;
  const found = await run('/usr/bin/python3', ['-c', 'import yaml']).catch(() => undefined);
  return found?.exitCode === 0 ? undefined : 'python3-yaml is not installed';
}
