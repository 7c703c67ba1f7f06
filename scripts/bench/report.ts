import { BATCH_ROWS, type DriverFigures } from './driver.ts';
import type { PeerFigures } from './peer/peer.ts';

export interface BridgeFigures {
  readonly valuesPerSecond: number;
  readonly messagesPerSecond: number;
  readonly cpuMicrosPerValue: number;
  readonly peakMegabytes: number;
  readonly averageBatch: number;
}

interface Reported {
  readonly tagsPerMessage: number;
  readonly totalValues: number;
  readonly driver: DriverFigures;
  readonly bridge: BridgeFigures;
  readonly peer: PeerFigures | undefined;
}

/** Prints what each took in one run. */
export function report({ tagsPerMessage, totalValues, driver, bridge, peer }: Reported): void {
  const round = (figure: number): string => Math.round(figure).toLocaleString('en-US');
  const line = (name: string, rate: string, cpu: number, remark: string): string =>
    `${name.padEnd(19)}${rate.padStart(9)}    ${cpu.toFixed(2).padStart(10)}   ${remark}`.trimEnd();
  const { averageBatch, cpuMicrosPerValue, messagesPerSecond, peakMegabytes, valuesPerSecond } = bridge;
  const ratio = (valuesPerSecond / driver.rowsPerSecond).toFixed(2);
  const script = (figures: PeerFigures): string => {
    const remark = `at least once, peak memory ${round(figures.peakMegabytes)} MB`;
    return line(`python script`, round(figures.rowsPerSecond), figures.cpuMicrosPerRow, remark);
  };
  const lines = [
    '',
    `${round(totalValues)} values, ${tagsPerMessage} a message, QoS 1`,
    '',
    '                      rows/s    CPU µs/row',
    line('bare driver', round(driver.rowsPerSecond), driver.cpuMicrosPerRow, `batch ${BATCH_ROWS}`),
    line('whole way', round(valuesPerSecond), cpuMicrosPerValue, `average batch ${round(averageBatch)}`),
    line('ratio', ratio, cpuMicrosPerValue / driver.cpuMicrosPerRow, ''),
    ...(peer === undefined ? [] : [script(peer)]),
    '',
    `${round(messagesPerSecond)} messages/s, peak memory of the bridge ${round(peakMegabytes)} MB`,
  ];
  for (const each of lines) console.log(each);
}
