/** How much is logged, from little to much. A file of its own, so that the configuration does not load the logger. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];
