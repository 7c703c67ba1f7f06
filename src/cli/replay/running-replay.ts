import type { ListedFile } from '../../backup/replay/listing.ts';
import type { RunningBridge } from '../remote/running-bridge.ts';
import type { Replayer } from './replayer.ts';

/** Has the running bridge replay files. */
export function runningReplay(bridge: RunningBridge): Replayer {
  return {
    staysOn: true,
    files: async () => JSON.parse(await bridge.get('/api/backups')) as ListedFile[],
    request: async (file, to) => {
      const query = to === undefined ? '' : `?to=${encodeURIComponent(to)}`;
      await bridge.post(`/api/backups/${encodeURIComponent(file)}/replay${query}`);
    },
  };
}
