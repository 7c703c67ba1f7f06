import { posix } from 'node:path';

import { importsOf, type SourceFile } from './sources.ts';

/**
 * Imports that lead back to where they began, types included: for each set of files of which every one leads to every
 * other, the shortest way round, the paths joined by arrows.
 */
export function findCircles(files: readonly SourceFile[]): string[] {
  const imports = new Map(files.map((file) => [file.path, targetsOf(file)]));
  const reached = new Map(files.map(({ path }) => [path, reachedFrom(path, imports)]));
  const circles: string[] = [];
  const told = new Set<string>();
  for (const { path } of files) {
    const onward = reached.get(path)!;
    if (told.has(path) || !onward.has(path)) continue;
    const knot = [...reached.keys()].filter((other) => onward.has(other) && reached.get(other)!.has(path));
    for (const other of knot) told.add(other);
    const ways = knot.map((start) => shortestWayRound(start, imports));
    circles.push(ways.reduce((shortest, way) => (way.length < shortest.length ? way : shortest)).join(' → '));
  }
  return circles;
}

type Imports = ReadonlyMap<string, readonly string[]>;

function targetsOf(file: SourceFile): string[] {
  return importsOf(file)
    .filter((imported) => imported.startsWith('.'))
    .map((imported) => posix.join(posix.dirname(file.path), imported));
}

/** Every file that one step or more lead to; the file itself only by a circle. */
function reachedFrom(start: string, imports: Imports): Set<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const next of imports.get(path) ?? []) {
      if (!reached.has(next)) open.push(next);
      reached.add(next);
    }
  }
  return reached;
}

/** By breadth first; the file must lie on a circle. */
function shortestWayRound(start: string, imports: Imports): string[] {
  const seen = new Set<string>();
  const ways: string[][] = [[start]];
  for (const way of ways) {
    for (const next of imports.get(way.at(-1)!) ?? []) {
      if (next === start) return [...way, start];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  throw new Error(`${start} lies on no circle`);
}
