import { sentenceOf } from '../core/wording.ts';
import type { StatusFacts } from './status.ts';

/** The kinds of problems that problems.ts looks for. */
export type ProblemKind =
  | 'audit'
  | 'dropped'
  | 'journal'
  | 'disk'
  | 'journalFilling'
  | 'namesake'
  | 'broker'
  | 'starved'
  | 'sessionLost'
  | 'oracle'
  | 'bufferFull'
  | 'gone'
  | 'backups'
  | 'homeless'
  | 'held'
  | 'rejected'
  | 'undecodable'
  | 'turnedIntoText'
  | 'implausibleTime'
  | 'subscription';

/** What to do about each kind of problem; what depends on its cause is asked of the status. */
const REMEDIES: Readonly<Record<ProblemKind, string | ((facts: StatusFacts) => string)>> = {
  audit:
    'A value was lost or counted twice, which must not happen: keep the log, journal.dir and backup.dir as they are and ' +
    'report it. The log says since when, under "audit out of balance".',
  dropped:
    'Set buffer.onFull to "wait": then what does not fit waits in the journal. Or raise buffer.capacity, and look for ' +
    'what keeps Oracle from taking values as fast as they come.',
  journal: ({ journal }) => {
    if (journal.state !== 'full') return JOURNAL_FAILING;
    return journal.fullBy === 'disk' ? DISK_FULL : JOURNAL_FULL;
  },
  disk: ({ disks, oracle }) => {
    const grows = disks.some(({ fullInSeconds }) => fullInSeconds !== undefined);
    return grows && oracle.state !== 'connected'
      ? `Bring Oracle back, so that backups leave it. ${DISK_LOW}`
      : DISK_LOW;
  },
  journalFilling:
    'Look what keeps values from leaving it: Oracle that is slower than they come (raise writer.batchSize, ask the DBA), or a disk of backup.dir that ' +
    'takes none. Or raise journal.maxBytes.',
  namesake:
    'Give each bridge a bridge.id and an mqtt.clientId of its own, or stop the one that should not run: two with one id ' +
    "throw each other off the broker and clear each other's notices.",
  broker: ({ mqtt }) => (mqtt.remedy === undefined ? BROKER_AWAY : `${sentenceOf(mqtt.remedy)} ${BROKER_CHECK}`),
  starved: ({ mqtt }) => (mqtt.starvedMeasure === 'none' ? STILL_STARVED : STARVED),
  sessionLost:
    'What was published while the bridge was connected is safe; what waited at the broker, or came before the bridge was back, is lost, unless ' +
    'its sender has it. Let the broker keep sessions over its own restart (mosquitto: persistence true) and as long as ' +
    'mqtt.sessionExpirySeconds says.',
  oracle: ({ oracle }) => remedyForOracle(oracle),
  bufferFull:
    'Nothing at once: with buffer.onFull "wait", more waits in the journal. If it stays so, Oracle takes values more ' +
    'slowly than they come: raise writer.batchSize, or ask the DBA about the indexes of the table.',
  gone:
    'Put what is named there back into oracle.destinations and start again, or wait until the files are there and say where their rows go: backups ' +
    'replay FILE --to NAME.',
  backups: ({ oracle, backups }) => {
    if (backups.replaying !== undefined) return 'Nothing: they are being replayed.';
    return oracle.state === 'connected' ? BACKUPS_STAY : BACKUPS_WAIT;
  },
  homeless:
    'Put them back into oracle.destinations, or say where the rows go: backups replay FILE --to NAME; backups list names ' +
    'the files. Nothing else takes them.',
  held:
    'The DBA must add a partition to the table for their times (see the files); they are written by themselves then. Where a time is wrong, mend the PLC and ' +
    'discard the file.',
  rejected:
    'Look at error_code and error_message in the files, mend the cause in the table or at the PLC, then replay the ' +
    'files; discard those whose values are not wanted.',
  undecodable:
    'Look at reason and payload in the files, mend the subscription in mqtt.subscriptions and replay the files, which makes rows of them; or mend ' +
    'the sender, and discard the files.',
  turnedIntoText:
    'Look at the texts under the tags seen. If they are numbers in quotes, with a comma or words such as ON, set numbersInText, decimalComma or ' +
    'words of the subscription; else the PLC or what reads it reports something else now, such as an error.',
  implausibleTime:
    'Set the clock of the PLC or of what sends its values; where the time is of 1970, look whether it comes in seconds (timestampFormat "epochS"); where it is whole ' +
    "hours ahead, set timeZone of the subscription; where many are wrong at once, look at this machine's own clock. If such times are right, " +
    'widen plausibleTime; onImplausibleTime says what to do with them.',
  subscription:
    "Let the broker's access rules grant the topic to mqtt.username, at the QoS of the subscription in " +
    'mqtt.subscriptions. The bridge asks again when it connects.',
};

const BROKER_CHECK = '`mqtt-oracle-bridge check --connect` tells more. The bridge goes on trying.';
const BROKER_AWAY =
  'Look whether the broker of mqtt.url runs and can be reached from here, and takes mqtt.username, mqtt.password and ' +
  'mqtt.tls: `mqtt-oracle-bridge check --connect` says which. The bridge goes on trying.';
const STARVED =
  'Nothing at once. It is a fault of the broker (ActiveMQ Artemis 2.40 has it), which counts what was under way at a lost connection as ' +
  'never acknowledged: update it, or restart it at a good time, or set mqtt.protocolVersion to 4.';
const STILL_STARVED =
  'Restart the broker: what it keeps for the bridge then comes. If nothing waits there, its access rules may withhold the ' +
  "bridge's own probes, below probe/ of notices.baseTopic: let mqtt.username publish and read them.";

const DISK_FULL =
  'Free space there: df and du say what takes it; what the bridge keeps is values on their way. Nothing is lost as long as the broker ' +
  'keeps what was not acknowledged, and the bridge goes on by itself.';
const DISK_LOW =
  'Make room on that disk, or move journal.dir or backup.dir to a larger one: once it is full, messages are not acknowledged any more, ' +
  'and wait at the broker.';
const JOURNAL_FULL =
  'Free space on the disks of journal.dir and backup.dir, or bring Oracle back, so that what waits in the journal can leave it; or raise ' +
  'journal.maxBytes. Nothing is lost as long as the broker keeps what was not acknowledged.';
const JOURNAL_FAILING =
  'Free space on the disk of journal.dir or mend its rights: the log has the error of the disk. The bridge goes on by itself.';
const BACKUPS_STAY =
  'Nothing as long as they become fewer: the bridge replays them by itself. Replay by hand what stays, for instance ' +
  'because backup.replay is false; the list of the files says what stands in the way.';
const BACKUPS_WAIT = 'Bring Oracle back: the bridge then replays them by itself, unless backup.replay is false.';

/** What to do about a problem that was found. */
export function remedyFor(kind: ProblemKind, facts: StatusFacts): string {
  const remedy = REMEDIES[kind];
  return typeof remedy === 'string' ? remedy : remedy(facts);
}

const UNKNOWN_CAUSE =
  'Ask the DBA about this error. `mqtt-oracle-bridge check --connect` tries connection, table, columns and privileges, ' +
  'and says what is missing.';
const UNREACHABLE =
  'Look whether the database and its listener run and can be reached from here, and whether oracle.connectString names ' +
  'them. The bridge goes on trying.';

function remedyForOracle({ kind, remedy }: StatusFacts['oracle']): string {
  if (remedy !== undefined) return remedy;
  return kind === undefined || kind === 'connection' ? UNREACHABLE : UNKNOWN_CAUSE;
}
