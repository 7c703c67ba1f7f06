import type { JsonSchema, Problem } from '../core/fields.ts';

/** What a setting may be. The bounds and choices of one key stand in its Setting. */
export interface SettingKind {
  /** What may stand there, for the reference: `an integer from 1 to 10000`. */
  allowed(setting: Setting): string;
  check(value: unknown, setting: Setting): Problem[];
  /**
   * The value that a text from the environment means; a text that means none is given back as it is, for `check` to
   * refuse.
   */
  parse(text: string): unknown;
  /** A good value as the bridge has it; absent: as it stands. */
  complete?(value: unknown): unknown;
  jsonSchema(setting: Setting): JsonSchema;
}

/** One key of the configuration as its schema declares it. */
export interface Setting<T = unknown> {
  /** For a plant engineer: what it does, and when to change it. */
  readonly doc: string;
  readonly kind: SettingKind;
  readonly default: T;
  /** A secret: its value is never shown, and it may come from a file that `<env>_FILE` names. */
  readonly sensitive?: true;
  /** Bounds of a number. */
  readonly min?: number;
  readonly max?: number;
  /** What a `choice` may be. */
  readonly choices?: readonly (string | number)[];
  /** Texts and names: empty has a meaning of its own, said in `doc`. */
  readonly mayBeEmpty?: true;
  /**
   * Applied when the running bridge reads its configuration again; others need a restart. `Bridge.reload` must know
   * what to do.
   */
  readonly appliedOnReload?: true;
  /** The section of a file in which the entries of this object stand, beside the keys that it has. */
  readonly within?: string;
  /** For the example file, where the default is empty. */
  readonly example?: T;
}

/**
 * The schema of a part of the configuration: the same nesting, a Setting at each end. An object whose keys the user
 * chooses is one end.
 */
export type Schema<T> = {
  readonly [K in keyof T]: T[K] extends string | number | boolean | readonly unknown[]
    ? Setting<T[K]>
    : string extends keyof T[K]
      ? Setting<T[K]>
      : Schema<T[K]>;
};

/** A setting in its place. */
export interface PlacedSetting extends Setting {
  /** `oracle.pool.min` */
  readonly path: string;
  /** `BRIDGE_ORACLE_POOL_MIN` */
  readonly env: string;
}

export function environmentName(path: string): string {
  return `BRIDGE_${path.toUpperCase().replaceAll('.', '_')}`;
}
