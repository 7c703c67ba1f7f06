import { ifThere, replaceFile } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import type { Reserve } from '../../core/reserve.ts';

/** Replaces a small JSON file durably, all or nothing. Throws the system error of the disk. Calls for one path must not overlap. */
export function writeSidecar(fileSystem: FileSystem, path: string, content: object, reserve: Reserve): Promise<void> {
  return reserve.spendOn(() => replaceFile(fileSystem, path, `${JSON.stringify(content)}\n`));
}

/** The parsed content; undefined when there is no such file. Throws the system error, and SyntaxError for what is no JSON. */
export async function readSidecar(fileSystem: FileSystem, path: string): Promise<unknown> {
  const bytes = await ifThere(fileSystem.read(path));
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as unknown);
}
