/**
 * 0001-01-01 and 9999-12-31T23:59:59.999, UTC: what the driver, an Oracle TIMESTAMP and four digits of a year all hold.
 */
export const MIN_TIME_MS = -62_135_596_800_000;
export const MAX_TIME_MS = 253_402_300_799_999;

/** Above any number of a value in its message, and a number that JSON and the ledger can hold. */
export const MAX_VALUE_NO = 0xffff_ffff;
