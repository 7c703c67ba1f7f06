import { join } from 'node:path';

import { BrokerGone, startRealBroker, type Protocol, type RealBroker, type RunningBroker } from './broker.ts';
import { CASES, type Case } from './cases.ts';
import { Cell, type CellCounts } from './cell.ts';
import { manners } from './manners.ts';
import { notices } from './notices.ts';
import { Unavailable } from '../support/package-cache.ts';
import type { PayloadKind } from './payloads.ts';
import { rate } from './rate.ts';

/** What is not judged by counting rows. */
export interface OtherCase {
  readonly name: string;
  readonly title: string;
  /** Measures speed, so that nothing else may go on meanwhile. */
  readonly isAlone?: true;
  readonly run: (place: Place) => Promise<{ readonly isGood: boolean; readonly text: string }>;
}

/** Where a case runs. */
export interface Place {
  readonly broker: RunningBroker;
  readonly protocol: Protocol;
  /** Stands in topics and client ids. */
  readonly root: string;
  readonly directory: string;
  readonly scale: number;
}

export const OTHER_CASES: readonly OtherCase[] = [notices, rate, manners];

export interface CellResult {
  readonly broker: string;
  readonly protocol: Protocol;
  readonly case: string;
  readonly payloads: PayloadKind | undefined;
  readonly counts: CellCounts | undefined;
  readonly text: string;
  /** Nothing lost by the bridge, and nothing doubled that can be told apart. */
  readonly isGood: boolean;
  readonly seconds: number;
}

export interface Skipped {
  readonly broker: string;
  readonly reason: string;
}

export interface MatrixOptions {
  readonly brokers: readonly RealBroker[];
  readonly protocols: readonly Protocol[];
  /** By name; empty: all. */
  readonly cases: readonly string[];
  readonly scale: number;
  /** Cells of one broker that run side by side, but for those that need it for themselves. */
  readonly atOnce: number;
  /** For the bridges' files and logs. */
  readonly directory: string;
  readonly report: (line: string) => void;
}

export interface MatrixResult {
  readonly cells: readonly CellResult[];
  readonly skipped: readonly Skipped[];
}

/** Every case on every broker, one broker after the other. A broker that can't be had is skipped with the reason. */
export async function runMatrix(options: MatrixOptions): Promise<MatrixResult> {
  const cells: CellResult[] = [];
  const skipped: Skipped[] = [];
  for (const broker of options.brokers) {
    const skip = (reason: string): void => {
      skipped.push({ broker: broker.name, reason });
      options.report(`${broker.name}: skipped: ${reason}`);
    };
    if (broker.missing !== undefined) {
      skip(broker.missing);
      continue;
    }
    try {
      cells.push(...(await runBroker(broker, options)));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      skip(error.message);
    }
  }
  return { cells, skipped };
}

interface Task {
  readonly name: string;
  readonly payloads: PayloadKind | undefined;
  readonly isAlone: boolean;
  run(place: Place): Promise<Pick<CellResult, 'counts' | 'text' | 'isGood'>>;
}

async function runBroker(broker: RealBroker, options: MatrixOptions): Promise<CellResult[]> {
  const running = await startRealBroker(broker);
  options.report(`${broker.name} ${broker.version} listens on ${running.url}`);
  const results: CellResult[] = [];
  try {
    for (const protocol of broker.protocols.filter((version) => options.protocols.includes(version))) {
      const tasks = tasksOf(broker, options.cases);
      const runOne = async (task: Task): Promise<void> => {
        const result = await runTask(task, running, protocol, options);
        results.push(result);
        options.report(lineOf(result));
      };
      await inTurns(
        tasks.filter(({ isAlone }) => !isAlone),
        options.atOnce,
        runOne,
      );
      await inTurns(
        tasks.filter(({ isAlone }) => isAlone),
        1,
        runOne,
      );
    }
  } finally {
    await running.dispose();
  }
  return results;
}

function tasksOf(broker: RealBroker, names: readonly string[]): Task[] {
  const isWanted = ({ name }: { readonly name: string }): boolean => names.length === 0 || names.includes(name);
  const counted = CASES.filter((entry) => isWanted(entry) && entry.appliesTo?.(broker) !== false).flatMap((entry) =>
    entry.payloads.map((payloads): Task => ({
      name: entry.name,
      payloads,
      isAlone: entry.isAlone ?? false,
      run: (place) => runCell(entry, payloads, place),
    })),
  );
  const others = OTHER_CASES.filter(isWanted).map(({ name, isAlone = false, run }): Task => ({
    name,
    payloads: undefined,
    isAlone,
    run: async (place) => ({ counts: undefined, ...(await run(place)) }),
  }));
  return [...counted, ...others];
}

async function runTask(
  task: Task,
  broker: RunningBroker,
  protocol: Protocol,
  { scale, directory }: MatrixOptions,
): Promise<CellResult> {
  const startedAtMs = performance.now();
  const root = ['m', protocol, task.name.replaceAll('-', ''), task.payloads ?? ''].join('');
  const place: Place = { broker, protocol, root, scale, directory: join(directory, broker.broker.name, root) };
  const outcome = await task.run(place).catch(async (error: unknown) => {
    if (!(error instanceof BrokerGone))
      return { counts: undefined, isGood: false, text: `failed: ${messageOf(error)}` };
    await broker.renew();
    return { counts: undefined, isGood: true, text: `the broker does not start again: ${messageOf(error)}` };
  });
  return {
    ...outcome,
    broker: broker.broker.name,
    protocol,
    case: task.name,
    payloads: task.payloads,
    seconds: (performance.now() - startedAtMs) / 1000,
  };
}

async function runCell(
  entry: Case,
  payloads: PayloadKind,
  place: Place,
): Promise<Pick<CellResult, 'counts' | 'text' | 'isGood'>> {
  const { qos = 1, prefix = '', mqtt = {}, bridges = 1 } = entry;
  const cell = await Cell.open({ ...place, payloads, qos, prefix, mqtt }, bridges);
  try {
    const notes = await entry.run(cell);
    const counts = await cell.judge();
    const { qos2 } = place.broker.broker;
    const isExact = payloads === 'time' || (qos === 2 && qos2 === undefined);
    const mayDouble = entry.mayDouble === true || !isExact;
    const isGood = counts.lost === counts.lostByBroker && (mayDouble || counts.doubled === 0);
    const silence = cell.ledger.deliveries === 0 ? ['the broker has delivered nothing on this subscription'] : [];
    const lowered = qos === 2 && qos2 !== undefined ? [qos2] : [];
    return { counts, isGood, text: [...notes, ...lowered, ...silence, ...counts.problems].join('; ') };
  } finally {
    await cell.close();
  }
}

/** On one line, for a table. */
function messageOf(error: unknown): string {
  return (error as Error).message.replaceAll(/\s+/g, ' ');
}

/** `kill · time · v5 · published 6,000 · rows 6,000 · lost 0 · doubled 0 · …` */
export function lineOf({ broker, protocol, case: name, payloads, counts, text, isGood, seconds }: CellResult): string {
  const figures =
    counts === undefined
      ? []
      : [
          `published ${counts.published}`,
          `rows ${counts.rows}`,
          `lost ${counts.lost}${counts.lostByBroker > 0 ? ` (${counts.lostByBroker} by the broker)` : ''}`,
          `doubled ${counts.doubled}`,
          `duplicate ${counts.duplicate}`,
          `maybe repeated ${counts.maybeRepeated}`,
          `reconnects ${counts.reconnects}`,
        ];
  const place = [broker, `v${protocol}`, name, ...(payloads === undefined ? [] : [payloads])].join(' ');
  return [isGood ? 'ok ' : 'BAD', place, ...figures, `${seconds.toFixed(0)} s`, ...(text === '' ? [] : [text])].join(
    ' · ',
  );
}

/** Runs all, at most `atOnce` at a time, begun in order. */
async function inTurns<T>(items: readonly T[], atOnce: number, runOne: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await runOne(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
