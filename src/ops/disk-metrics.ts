import { Gauge, type Registry } from 'prom-client';

import { gauge, type Figure } from './figures.ts';
import type { DiskStatus } from './status.ts';

type DiskFigure = Figure<DiskStatus, number | undefined>;

const PREFIX = 'bridge_disk_';

const FIGURES: readonly DiskFigure[] = [
  gauge('free_bytes', 'Room that the bridge may take', (disk) => disk.freeBytes),
  gauge('size_bytes', 'Size of the filesystem', (disk) => disk.totalBytes),
  gauge('low', '1 when it is soon full, by its room or at this rate', (disk) => Number(disk.state !== 'ok')),
  gauge('full_in_seconds', 'When it is full at this rate; none while nothing grows', (disk) => disk.fullInSeconds),
];

/** The disks of what the bridge keeps, each by the directories on it. */
export class DiskFigures {
  readonly #figures: readonly (readonly [DiskFigure, Gauge<'directory'>])[];

  constructor(registers: Registry[]) {
    const labelNames = ['directory'] as const;
    this.#figures = FIGURES.map((figure) => {
      const help = `${figure.help}, by directory`;
      return [figure, new Gauge({ name: PREFIX + figure.name, help, labelNames, registers })];
    });
  }

  /** Makes the gauges what they are at this instant. */
  read(disks: readonly DiskStatus[]): void {
    for (const [figure, metric] of this.#figures) {
      metric.reset();
      for (const disk of disks) {
        const value = figure.read(disk);
        if (value === undefined) continue;
        for (const directory of disk.directories) metric.set({ directory }, value);
      }
    }
  }
}
