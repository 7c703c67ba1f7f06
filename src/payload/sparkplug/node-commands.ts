/** An edge node by its topic. */
export interface NodeName {
  readonly group: string;
  readonly node: string;
}

/**
 * What reading an edge node's messages gives cause for. None of it changes how a message is read: after a crash
 * messages are read again, and ask for the same again.
 */
export interface NodeCommands {
  /**
   * Its births are wanted. Asked for after `afterMs`, unless it is born before or `satisfied`; not more often than it
   * can be expected to answer.
   */
  wantBirth(name: NodeName, why: string, afterMs: number): void;
  /** What was missed has come after all. */
  satisfied(name: NodeName): void;
  /** It was born: nothing is wanted any more. */
  born(name: NodeName): void;
  /**
   * Message `messageNo` says that it is dead, and it may not be true: when nothing is heard of it for a while, the
   * pipeline is to be given the message of `verifiedDeath`.
   */
  doubtDeath(name: NodeName, messageNo: number): void;
  /** It lives: `doubtDeath` is taken back. */
  lives(name: NodeName): void;
}

/** Where nobody sends commands. */
export const NO_COMMANDS: NodeCommands = {
  wantBirth: () => {},
  satisfied: () => {},
  born: () => {},
  doubtDeath: () => {},
  lives: () => {},
};
