/** What the process says to the shell and to systemd when it ends [sysexits.h]. */
export const EXIT = {
  ok: 0,
  usage: 64,
  configNotFound: 66,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  inputOutput: 74,
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
