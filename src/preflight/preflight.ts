import type { Config } from '../config/config.ts';
import { brokersOf } from '../core/broker-url.ts';
import { sleep, withDeadline, type Clock } from '../core/clock.ts';
import { coerceError } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import { checkBrokers, type BrokerFindings } from './brokers-check.ts';
import { checkDirectories } from './directory-check.ts';
import { failed, type Finding } from './finding.ts';
import { checkOracle } from './oracle-check.ts';
import { findingLines, summaryLine } from './report.ts';

export interface PreflightParts {
  readonly clock: Clock;
  readonly fileSystem: FileSystem;
  readonly log: Logger;
  /** Ends the checks at once. */
  readonly signal: AbortSignal;
}

const DISK_TIMEOUT_MS = 30_000;
/** What a check that is interrupted may need to leave nothing behind at the broker. */
const LEAVING_MS = 3000;

/**
 * Tries all that the bridge will need and gives `write` the report, group by group. Disturbs no running bridge: see the
 * checks. Resolves with false when something failed. Broker and database are tried at the same time, the disk after
 * them, so that its times are its own.
 */
export async function runPreflight(
  config: Config,
  { clock, fileSystem, log, signal }: PreflightParts,
  write: (text: string) => void,
): Promise<boolean> {
  const interrupted = [failed('check', 'interrupted', 'run it again')];
  const noBroker = [{ broker: brokersOf(config.mqtt.url), findings: interrupted }];
  const brokers = unlessAborted<readonly BrokerFindings[]>(
    clock,
    signal,
    checkBrokers(config, clock, signal),
    noBroker,
  );
  const oracle = unlessAborted(clock, signal, checkOracle(config, clock, log, signal), interrupted);
  const all: Finding[] = [];
  const report = (findings: readonly Finding[]): void => {
    all.push(...findings);
    write(findings.map(findingLines).join(''));
  };
  for (const { broker, findings } of await brokers) {
    write(`Broker ${broker}\n`);
    report(findings);
  }
  write(`Oracle ${config.oracle.connectString}\n`);
  report(await oracle);
  write('Directories\n');
  if (!signal.aborted) report(await directories(config, { clock, fileSystem, log, signal }));
  write(summaryLine(all));
  return all.every(({ verdict }) => verdict !== 'failed');
}

/** A disk that hangs, one on the network say, answers nobody. */
async function directories(config: Config, { clock, fileSystem, signal }: PreflightParts): Promise<Finding[]> {
  const interrupted = [failed('check', 'interrupted', 'run it again')];
  const checked = unlessAborted(clock, signal, checkDirectories(config, fileSystem, clock), interrupted);
  try {
    return await withDeadline(clock, DISK_TIMEOUT_MS, 'writing and syncing', checked);
  } catch (thrown) {
    return [failed('disk', coerceError(thrown).message, 'name directories on a local disk that works')];
  }
}

async function unlessAborted<T>(clock: Clock, signal: AbortSignal, work: Promise<T>, ifAborted: T): Promise<T> {
  const over = new AbortController();
  const aborted = new Promise<T>((resolve) => {
    const leave = (): void => void sleep(clock, LEAVING_MS, over.signal).then(() => resolve(ifAborted));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  const done = await Promise.race([work, aborted]);
  over.abort();
  return signal.aborted ? ifAborted : done;
}
