import { BATCH_ROWS, type DriverFigures } from './driver.ts';
import { median } from './median.ts';
import type { PeerFigures } from './peer/peer.ts';

export interface BridgeFigures {
  readonly valuesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly cpuMicrosPerValue: number;
  readonly peakMegabytes: number;
  readonly averageBatch: number;
}

/** What was measured one after the other. */
export interface Turn {
  readonly driver: DriverFigures;
  readonly bridge: BridgeFigures;
  readonly peer: PeerFigures | undefined;
}

interface Reported {
  readonly tagsPerMessage: number;
  readonly totalValues: number;
  readonly turns: readonly Turn[];
}

/** On a quiet machine two turns agree so far. */
const QUIET_SPREAD = 0.1;

/** Prints the medians, and how far the turns agree. */
export function report({ tagsPerMessage, totalValues, turns }: Reported): void {
  const round = (figure: number): string => Math.round(figure).toLocaleString('en-US');
  const line = (name: string, rate: string, cpu: number, remark: string): string =>
    `${name.padEnd(19)}${rate.padStart(9)}    ${cpu.toFixed(2).padStart(10)}   ${remark}`.trimEnd();
  const middle = (figure: (turn: Turn) => number): number => median(turns.map(figure));
  const [driverRate, driverCpu] = [
    middle(({ driver }) => driver.rowsPerSecond),
    middle(({ driver }) => driver.cpuMicrosPerRow),
  ];
  const [rate, cpu] = [
    middle(({ bridge }) => bridge.valuesPerSecond),
    middle(({ bridge }) => bridge.cpuMicrosPerValue),
  ];
  const peers = turns.flatMap(({ peer }) => peer ?? []);
  const ofPeers = (figure: (peer: PeerFigures) => number): number => median(peers.map(figure));
  const script = (): string => {
    const remark = `at least once, peak memory ${round(ofPeers(({ peakMegabytes }) => peakMegabytes))} MB`;
    const cpuOfScript = ofPeers(({ cpuMicrosPerRow }) => cpuMicrosPerRow);
    return line('python script', round(ofPeers(({ rowsPerSecond }) => rowsPerSecond)), cpuOfScript, remark);
  };
  const batch = round(middle(({ bridge }) => bridge.averageBatch));
  const lines = [
    '',
    `${round(totalValues)} values, ${tagsPerMessage} a message, QoS 1; medians of ${turns.length}`,
    '',
    '                      rows/s    CPU µs/row',
    line('bare driver', round(driverRate), driverCpu, `batch ${BATCH_ROWS}`),
    line('whole way', round(rate), cpu, `average batch ${batch}`),
    line('ratio', (rate / driverRate).toFixed(2), cpu / driverCpu, ''),
    ...(peers.length === 0 ? [] : [script()]),
    '',
    `${round(middle(({ bridge }) => bridge.messagesPerSecond))} messages/s, ` +
      `peak memory of the bridge ${round(Math.max(...turns.map(({ bridge }) => bridge.peakMegabytes)))} MB`,
    quietness(turns),
  ];
  for (const each of lines) console.log(each);
}

/** How far the turns are apart, of the largest: in rate and processor time, of the driver and of the bridge. */
function quietness(turns: readonly Turn[]): string {
  const figures: Readonly<Record<string, (turn: Turn) => number>> = {
    "the bare driver's rate": ({ driver }) => driver.rowsPerSecond,
    "the bare driver's CPU": ({ driver }) => driver.cpuMicrosPerRow,
    "the bridge's rate": ({ bridge }) => bridge.valuesPerSecond,
    "the bridge's CPU": ({ bridge }) => bridge.cpuMicrosPerValue,
  };
  const spreads = Object.entries(figures).map(([name, figure]) => {
    const measured = turns.map(figure);
    return { name, spread: 1 - Math.min(...measured) / Math.max(...measured) };
  });
  if (turns.length === 1) return 'One turn: nothing says whether the machine was quiet.';
  const loud = spreads.filter(({ spread }) => spread > QUIET_SPREAD);
  const percent = (spread: number): string => `${Math.round(100 * spread)} %`;
  if (loud.length === 0) {
    const most = Math.max(...spreads.map(({ spread }) => spread));
    return `The machine was as quiet in each turn: they agree within ${percent(most)}.`;
  }
  const shown = loud.map(({ name, spread }) => `${name} by ${percent(spread)}`).join(', ');
  return `The machine was NOT quiet, measure again: the turns differ in ${shown}.`;
}
