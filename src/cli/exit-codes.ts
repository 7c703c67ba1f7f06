/** What the process says to the shell and to systemd when it ends [sysexits.h]. */
export const EXIT = {
  ok: 0,
  usage: 64,
  dataError: 65,
  configNotFound: 66,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  inputOutput: 74,
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What the codes mean, for the help. A command may say more exactly what its own codes mean. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done, or stopped by a signal',
  64: 'wrong usage',
  65: 'data that can not become rows as they are',
  66: 'configuration file not found',
  69: "a service can't be reached, or a port is taken",
  70: 'internal error',
  73: "a directory can't be created",
  74: 'input or output error',
  78: 'wrong configuration',
};
