import type { Chunk, WorkerMessage } from './fleet.ts';
import { simulate } from './world.ts';

/**
 * Runs the chunks that it is sent, one after the other; what nobody handles ends it, and the fleet knows at which seed.
 */
async function runChunk({ from, count }: Chunk): Promise<void> {
  let steps = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    tell({ seed });
    const result = await simulate(seed);
    steps += result.steps;
    if (result.problems.length === 0) continue;
    tell({ failure: { seed, problems: result.problems, story: await storyOf(seed) } });
  }
  tell({ schedules: count, steps });
}

async function storyOf(seed: number): Promise<string[]> {
  const story: string[] = [];
  await simulate(seed, (line) => story.push(line));
  return story;
}

function tell(message: WorkerMessage): void {
  process.send!(message);
}

process.on('message', (chunk: Chunk) => void runChunk(chunk));
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => {}); // Ctrl-C is for the fleet
