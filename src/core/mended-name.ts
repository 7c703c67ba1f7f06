import { REWRITE_SUFFIX } from './rewrite-file.ts';

/**
 * The file that is made to take the place of `file`, by the process of that number: what an interrupted command leaves
 * of it is removed at the next start of the bridge.
 */
export function mendedName(file: string, processId: number): string {
  return `${file}.mended.${processId}${REWRITE_SUFFIX}`;
}
