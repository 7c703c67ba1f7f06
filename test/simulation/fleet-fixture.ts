import type { Chunk, WorkerMessage } from './fleet.ts';

/** In place of the simulation: seed 3 fails, seed 5 ends the process, seed 7 never ends. */
function tell(message: WorkerMessage): void {
  process.send!(message);
}

process.on('message', ({ from, count }: Chunk) => {
  for (let seed = from; seed < from + count; seed += 1) {
    tell({ seed });
    if (seed === 3) tell({ failure: { seed, problems: ['wrong'], story: ['once', 'upon'] } });
    if (seed === 5) process.exit(9);
    if (seed === 7) return;
  }
  tell({ schedules: count, steps: count * 10 });
});
