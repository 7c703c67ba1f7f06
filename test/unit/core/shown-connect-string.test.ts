import { expect, it } from 'vitest';

import { shownConnectString } from '../../../src/core/shown-connect-string.ts';

it.each([
  ['dbhost:1521/ORCLPDB1', 'dbhost:1521/ORCLPDB1'],
  [
    ' tcps://dbhost:2484/ORCLPDB1?wallet_location=/etc/wallet ',
    'tcps://dbhost:2484/ORCLPDB1?wallet_location=/etc/wallet',
  ],
  ['db:1521/X?wallet_password=s3cret&retry_count=3', 'db:1521/X?wallet_password=…&retry_count=3'],
  ['bridge/s3cret@db:1521/X', 'db:1521/X'],
  [
    '(DESCRIPTION=\n  (ADDRESS=(PROTOCOL=TCP)(HOST=db)(PORT=1521))\n  (SECURITY=(MY_WALLET_PASSWORD = s3cret)))',
    '(DESCRIPTION= (ADDRESS=(PROTOCOL=TCP)(HOST=db)(PORT=1521)) (SECURITY=(MY_WALLET_PASSWORD = …)))',
  ],
  ['x'.repeat(501), `${'x'.repeat(500)}…`],
])('%j is shown as %j', (text, expected) => {
  expect(shownConnectString(text)).toBe(expected);
});
