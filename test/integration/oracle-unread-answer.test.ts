import { expect, onTestFinished, test } from 'vitest';

import { ORIGIN, type Place } from '../../src/core/place.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import { OracleTap } from '../support/oracle-tap.ts';
import { startStandin } from '../support/standin/standin.ts';
import { countRows, createTables, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { valuesOf } from '../support/values.ts';

/** Of a DATA packet: eight bytes of header, two of flags, then the first message's type. */
const MESSAGE_TYPE_OFFSET = 10;
const NO_MESSAGE = 99;
const TO: Place = { messageNo: 1, valueNo: 2 };

/** Garbles the first message of the server's next packet, where armed: there is no message of that type. */
class Garbler {
  isArmed = false;

  readonly garble = (bytes: Buffer): Buffer => {
    if (!this.isArmed) return bytes;
    this.isArmed = false;
    const copy = Buffer.from(bytes);
    copy[MESSAGE_TYPE_OFFSET] = NO_MESSAGE;
    return copy;
  };
}

test('an answer that the driver can not read leaves the outcome open, and the ledger says what it was', async () => {
  const standin = await startStandin();
  onTestFinished(() => standin.stop());
  await createTables(standin);
  const garbler = new Garbler();
  const tap = new OracleTap(standin, { answer: garbler.garble });
  const connections = connectionsTo({ connectString: `127.0.0.1:${await tap.start()}/FREEPDB1` });
  onTestFinished(() => tap.stop());
  onTestFinished(() => connections.stop());
  const sessions = new Sessions(connections, { ...SESSIONS_OPTIONS, bridgeId: 'b' }, (step) => {
    if (step === 'sent') garbler.isArmed = true; // the move has been answered, the rows not yet
  });
  const session = sessions.live('journal00001');
  await session.readPlace();
  const values = valuesOf(1, 2, 3);
  values.stamp(TO.messageNo, 0);
  const error = await databaseErrorOf(session.write(values, { from: ORIGIN, to: TO }, () => Promise.resolve()));

  expect(error.outcomeUnknown).toBe(true);
  expect([await session.readPlace(), await countRows(standin)]).toEqual([TO, 3]);
});
