import type { Reason } from './errors.ts';

/* What `try` and the page say of a message that was tried. */

/** A row as it would be written, or why it would not be. */
export interface TriedRow {
  readonly tagName: string;
  readonly value: number | null;
  readonly text: string | null;
  /** ISO 8601 in UTC; null where the payload's time can't be read. */
  readonly timestamp: string | null;
  readonly quality: string;
  readonly plcCode: string;
  readonly tagAddress: string;
  /** What further columns hold, by their names; a time is ISO 8601. Absent: there are none. */
  readonly columns?: Readonly<Record<string, string | number | null>>;
  /** Whom it is for; absent: there is one destination only. */
  readonly destination?: string;
  /** Why the row would go to a rejected CSV; absent: nothing here speaks against it. */
  readonly problem?: Reason;
}

/** Which subscription reads the message; `index`: its place in `mqtt.subscriptions`, from 0. */
export interface TakingSubscription {
  readonly index: number;
  readonly topic: string;
  readonly format: string;
}

/** What would become of a message. */
export interface TriedMessage {
  readonly topic: string;
  readonly bytes: number;
  /** Null: no subscription takes the topic, and the message would never come. */
  readonly subscription: TakingSubscription | null;
  /** `skipped`: the subscription is not for such messages. */
  readonly outcome: 'rows' | 'skipped' | 'undecodable';
  /** Why it is undecodable. */
  readonly reason?: Reason;
  /** How many rows there are; `rows` may have fewer. */
  readonly rowCount: number;
  /** How many of them would be rejected. */
  readonly rejectedCount: number;
  readonly rows: readonly TriedRow[];
  /** What filters do with values of the message, a sentence each; absent: nothing. */
  readonly notes?: readonly string[];
}
