/** What happened on the server so far. Counts go up only, but for `connections`. */

export interface LogonRecord {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly user: string;
  readonly accepted: boolean;
}

const MAX_LOGONS = 10_000;

export class Stats {
  /** Open at the moment. */
  connections = 0;
  connectionsAccepted = 0;
  logonsTried = 0;
  logonsAccepted = 0;
  /** The latest log-ons, oldest first. */
  readonly logons: LogonRecord[] = [];
  /** DATA packets received. */
  packets = 0;
  calls = 0;
  /** Rows of binds received, whatever became of them. */
  rows = 0;
  commits = 0;
  /** Not a count of anything: grows with each answer, as a server's system change number does. */
  changeNumber = 2_273_000;

  /** The figures as a plain object, with the latest hundred log-ons. */
  snapshot(): Record<string, unknown> {
    const { connections, connectionsAccepted, logonsTried, logonsAccepted, packets, calls, rows, commits } = this;
    const logons = this.logons.slice(-100);
    return { connections, connectionsAccepted, logonsTried, logonsAccepted, packets, calls, rows, commits, logons };
  }

  logon(user: string, accepted: boolean): void {
    this.logonsTried++;
    if (accepted) this.logonsAccepted++;
    this.logons.push({ at: Date.now(), user, accepted });
    if (this.logons.length > MAX_LOGONS) this.logons.shift();
  }
}
