/**
 * What a broker was seen to do in a trial. `undefined` throughout: it was not found out.
 */

/** Topics and subscriptions. */
export interface TopicManners {
  /**
   * - `shared`: each message goes to one member of the group
   * - `copied`: to every member
   * - `nothing`: granted, and nothing comes: taken as an ordinary topic that begins with `$share`
   * - `refused`: not granted
   */
  readonly shared: 'shared' | 'copied' | 'nothing' | 'refused' | undefined;
  /** `+` brings a topic whose level is a word. */
  readonly plus: boolean | undefined;
  /** `+` brings a topic whose level has a dot in it. */
  readonly plusWithDot: boolean | undefined;
  /** How a topic `a.csv/csv` arrives: as it is, changed, or not at all. */
  readonly dot: 'kept' | 'changed' | 'lost' | undefined;
  /** What it arrives as when it is changed. */
  readonly dotAs: string | undefined;
}

/** Retained messages. */
export interface RetainedManners {
  /** Sent to who subscribes by name. */
  readonly byName: boolean | undefined;
  readonly forWildcard: boolean | undefined;
  /** Sent with the retain flag. */
  readonly flagged: boolean | undefined;
  /** Gone after an empty one. */
  readonly cleared: boolean | undefined;
}

/** What happens to a session over a lost connection, at QoS 1. */
export interface SessionManners {
  /** How long the broker keeps it, in seconds; undefined where it does not say. */
  readonly expirySeconds: number | undefined;
  /** At which messages of QoS 1 came, or what was granted where that is less. */
  readonly qos: number | undefined;
  /** How many of 60 messages came without one acknowledgement. */
  readonly window: number | undefined;
  /**
   * - `counting`: each higher than the one before, over connections
   * - `restarting`: counting, and from 1 again on each connection
   * - `reused`: one that has been acknowledged is soon used again
   */
  readonly ids: 'counting' | 'restarting' | 'reused' | undefined;
  readonly highestId: number | undefined;
  readonly kept: boolean | undefined;
  /** How many messages were left without an acknowledgement, and how many of these came again. */
  readonly unacknowledged: number;
  readonly cameAgain: number;
  readonly sameIds: boolean | undefined;
  readonly flagged: boolean | undefined;
  readonly inOrder: boolean | undefined;
  /** What was published while the client was away came. */
  readonly queued: boolean | undefined;
  /** What was under way at the break counts against Receive Maximum for ever. */
  readonly leaksWindow: boolean | undefined;
}

/** A message at QoS 2, with the connection cut before PUBREC and before PUBCOMP. */
export interface Qos2Manners {
  readonly qos: number | undefined;
  /** Came again where PUBREC was missing, under the same id, and not again where PUBREC had arrived. */
  readonly exact: boolean | undefined;
  /** What was wrong; empty otherwise. */
  readonly fault: string;
}

export interface Manners {
  /** Why nothing could be tried; empty otherwise. */
  readonly refusal: string;
  readonly topics: TopicManners;
  readonly retained: RetainedManners | undefined;
  readonly session: SessionManners | undefined;
  readonly qos2: Qos2Manners | undefined;
  /** A message of the size asked about came. */
  readonly large: boolean | undefined;
}

export const NO_TOPICS: TopicManners = {
  shared: undefined,
  plus: undefined,
  plusWithDot: undefined,
  dot: undefined,
  dotAs: undefined,
};
