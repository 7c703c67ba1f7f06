import type { ListedFile } from '../../backup/replay/listing.ts';

/** Who replays: the running bridge, or this process. */
export interface Replayer {
  files(): Promise<readonly ListedFile[]>;
  /** `to`: the destination that all its rows go to. Throws CommandError when the file can't be replayed so. */
  request(file: string, to?: string): Promise<void>;
  /** False: when a file has to wait, nobody will see it go on. */
  readonly staysOn: boolean;
}
