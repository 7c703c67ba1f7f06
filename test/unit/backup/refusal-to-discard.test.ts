import { describe, expect, it } from 'vitest';

import { refusalToDiscard, type BackupFileInfo } from '../../../src/backup/files/file-info.ts';

const sealed: BackupFileInfo = {
  name: 'backup_20251102_143000.csv',
  kind: 'backup',
  state: 'sealed',
  destination: 'default',
  rows: 7,
  bytes: 512,
  sha256: 'ab',
  firstTimestampMs: undefined,
  lastTimestampMs: undefined,
  createdAtMs: Date.UTC(2025, 10, 2, 14, 30),
  reason: { code: 'ORA-12541', message: 'no listener' },
  problem: undefined,
  replayedRows: undefined,
};

describe('a backup file', () => {
  it('can be discarded when it is sealed, and while another one is replayed', () => {
    expect(refusalToDiscard(sealed)).toBeUndefined();
    expect(refusalToDiscard(sealed, ['backup_20251102_150000.csv'])).toBeUndefined();
  });

  it('can not be discarded while it is written or replayed', () => {
    expect(refusalToDiscard({ ...sealed, state: 'open' })).toContain('is being written');
    expect(refusalToDiscard(sealed, [sealed.name])).toContain('is being replayed');
  });
});
