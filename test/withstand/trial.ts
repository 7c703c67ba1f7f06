import type { RealBroker } from '../brokers/broker.ts';
import { TrialRig, type TrialRigOptions } from './rig.ts';

export interface TrialPlace {
  readonly broker: RealBroker;
  /** Empty. */
  readonly directory: string;
  /** For how long what is tried lasts, where it may last for any time. */
  readonly lastsMs: number;
}

/** Something that a machine may do to a bridge. */
export interface Trial {
  readonly name: string;
  readonly what: string;
  /** Why it can't be tried here. */
  readonly missing?: string | undefined;
  /** Does it to a bridge. The outcome, a sentence; throws when a value is lost or doubled, or the bridge ends. */
  readonly run: (place: TrialPlace) => Promise<string>;
}

/** More than a pause of the process or a batch takes. */
export const SOME_VALUES = 500;

export async function withRig(options: TrialRigOptions, use: (rig: TrialRig) => Promise<string>): Promise<string> {
  const rig = await TrialRig.start(options);
  try {
    return await use(rig);
  } finally {
    await rig.dispose();
  }
}
