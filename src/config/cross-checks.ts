import { brokerUrls, isTlsUrl } from '../core/broker-url.ts';
import { COLUMNS, isColumnKey, tableColumns, type Destination, type FieldColumn } from '../core/columns.ts';
import { controlPathProblem } from '../core/control-path.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import { isSameName } from '../core/identifier.ts';
import { isLoopback } from '../core/loopback.ts';
import { filtersOverlap } from '../core/topic-filter.ts';
import { formatNamed } from '../payload/formats.ts';
import type { CrossCheck } from './cross-check.ts';
import { DESTINATION_CHECKS } from './destination-checks.ts';
import { destinationsOf } from './destinations.ts';
import { contradictingFields, fieldsByDestination } from './row-targets.ts';

function unless(isGood: boolean, must: string): string | undefined {
  return isGood ? undefined : must;
}

/** Each column against those before it, so that of two that are the same one is named. */
const COLUMN_CHECKS = COLUMNS.map(({ key }, index): CrossCheck => {
  const earlier = COLUMNS.slice(0, index).map((column) => column.key);
  return {
    keys: [`oracle.columns.${key}`, ...earlier.map((other) => `oracle.columns.${other}`)],
    check: ({ oracle: { columns } }) => {
      const same = earlier.find((other) => isSameName(columns[other], columns[key]));
      return unless(same === undefined, `must not be the same column as oracle.columns.${same}`);
    },
  };
});

const COLUMN_KEYS = COLUMNS.map(({ key }) => `oracle.columns.${key}`);

/** Each further column against those before it. */
const FURTHER_COLUMN_CHECK: CrossCheck = {
  keys: ['oracle.furtherColumns', ...COLUMN_KEYS],
  check: ({ oracle }) => {
    const used = tableColumns({ ...oracle, fields: [] });
    const twice = used.find(
      ({ key, name }, i) => !isColumnKey(key) && used.slice(0, i).some((other) => isSameName(other.name, name)),
    );
    return unless(twice === undefined, `must not have the column ${twice?.name}, which oracle.columns has already`);
  },
};

/** What mappings fill must be no other column's, of one kind, and known since the start: the statement is made then. */
const FIELD_CHECKS: readonly CrossCheck[] = [
  {
    keys: ['mqtt.subscriptions', 'oracle.destinations', 'oracle.furtherColumns', ...COLUMN_KEYS],
    check: ({ oracle }) => destinationsOf(oracle).flatMap(fieldsTwice)[0],
  },
  {
    keys: ['mqtt.subscriptions'],
    check: ({ mqtt }) => {
      const [name] = contradictingFields(mqtt.subscriptions);
      return unless(name === undefined, `must fill the column ${name} with values of one "type" in all mappings`);
    },
  },
  {
    keys: ['mqtt.subscriptions'],
    check: ({ mqtt, oracle }) => {
      const known = new Map(Object.entries(oracle.destinationFields ?? {}));
      known.set(DEFAULT_DESTINATION, oracle.fields ?? []);
      const isKnown = (destination: string, { holds, name }: FieldColumn): boolean =>
        known.get(destination)?.some((has) => has.name === name && has.holds === holds) === true;
      const wanted = [...fieldsByDestination(mqtt.subscriptions)];
      const added = wanted.flatMap(([destination, columns]) =>
        columns.filter((column) => !isKnown(destination, column)),
      );
      return unless(added.length === 0, `must not fill a column that it did not at the start, ${added[0]?.name}`);
    },
  },
];

function fieldsTwice(destination: Destination): string[] {
  const { fields = [], name: destinationName } = destination;
  const used = tableColumns({ ...destination, fields: [] });
  const isDefault = destinationName === DEFAULT_DESTINATION;
  const where = isDefault ? 'oracle.columns has it' : `the destination "${destinationName}" has it already`;
  return fields.flatMap(({ name }, i) => {
    if (used.some((column) => isSameName(column.name, name))) {
      return [`must not fill the column ${name} by a mapping: ${where}`];
    }
    const other = fields.slice(0, i).find((earlier) => isSameName(earlier.name, name));
    return other === undefined ? [] : [`must write the name of a column alike in all mappings: ${other.name}, ${name}`];
  });
}

const TLS_FILES = ['ca', 'cert', 'key'] as const;

export const CROSS_CHECKS: readonly CrossCheck[] = [
  {
    keys: ['buffer.capacity', 'writer.batchSize'],
    check: ({ buffer, writer }) =>
      unless(buffer.capacity >= writer.batchSize, `must not be less than writer.batchSize, ${writer.batchSize}`),
  },
  {
    keys: ['oracle.pool.min', 'oracle.pool.max'],
    check: ({ oracle: { pool } }) => unless(pool.min <= pool.max, `must not be more than oracle.pool.max, ${pool.max}`),
  },
  {
    keys: ['journal.segmentBytes', 'journal.maxBytes'],
    check: ({ journal }) =>
      unless(
        journal.segmentBytes * 2 <= journal.maxBytes,
        `must be at most half of journal.maxBytes, ${journal.maxBytes}`,
      ),
  },
  {
    keys: ['backup.dir', 'journal.dir'],
    check: ({ backup, journal }) => unless(backup.dir !== journal.dir, 'must not be the directory of the journal'),
  },
  {
    keys: ['oracle.ledgerTable', 'oracle.table'],
    check: ({ oracle }) =>
      unless(!isSameName(oracle.ledgerTable, oracle.table), 'must not be the same as oracle.table'),
  },
  ...COLUMN_CHECKS,
  FURTHER_COLUMN_CHECK,
  ...FIELD_CHECKS,
  ...DESTINATION_CHECKS,
  {
    keys: ['mqtt.password', 'mqtt.username', 'mqtt.protocolVersion'],
    check: ({ mqtt }) =>
      unless(
        mqtt.password === '' || mqtt.username !== '' || mqtt.protocolVersion === 5,
        'must not be given without mqtt.username: MQTT 3.1.1 has no way to say so',
      ),
  },
  {
    keys: ['mqtt.tls.cert', 'mqtt.tls.key'],
    check: ({ mqtt: { tls } }) => unless(tls.cert === '' || tls.key !== '', 'must not be given without mqtt.tls.key'),
  },
  {
    keys: ['mqtt.tls.key', 'mqtt.tls.cert'],
    check: ({ mqtt: { tls } }) => unless(tls.key === '' || tls.cert !== '', 'must not be given without mqtt.tls.cert'),
  },
  ...TLS_FILES.map((name): CrossCheck => ({
    keys: [`mqtt.tls.${name}`, 'mqtt.url'],
    check: ({ mqtt }) =>
      unless(
        mqtt.tls[name] === '' || brokerUrls(mqtt.url).some(isTlsUrl),
        'has no effect: mqtt.url must begin with mqtts:// or wss:// for TLS',
      ),
  })),
  {
    keys: ['mqtt.subscriptions', 'notices.baseTopic', 'notices.enabled', 'bridge.id'],
    check: ({ mqtt, notices }) => {
      if (!notices.enabled) return undefined;
      const own = mqtt.subscriptions.find(({ topic }) => filtersOverlap(topic, `${notices.baseTopic}/#`));
      const topic = JSON.stringify(own?.topic);
      const problem = `must not take in the bridge's own notices under ${notices.baseTopic}, as ${topic} does`;
      return unless(own === undefined, problem);
    },
  },
  {
    keys: ['mqtt.subscriptions', 'tagName'],
    check: ({ mqtt, tagName }) => {
      const index = mqtt.subscriptions.findIndex(
        (each) => each.plcCode === '' && !formatNamed(each.format).says(each).plcCode,
      );
      const why = `a ${mqtt.subscriptions[index]?.format} payload names no PLC, and tagName asks for {plc}`;
      const problem = `[${index}] must have a plcCode, such as "{2}": ${why}`;
      return unless(index === -1 || !tagName.includes('{plc}'), problem);
    },
  },
];

/** What must be there for the bridge to run, beside what has a default. */
export const RUN_CHECKS: readonly CrossCheck[] = [
  {
    keys: ['oracle.connectString'],
    check: ({ oracle }) => unless(oracle.connectString !== '', 'must be given, such as "db.example.com:1521/FREEPDB1"'),
  },
  { keys: ['oracle.user'], check: ({ oracle }) => unless(oracle.user !== '', 'must be given: the database user') },
  {
    keys: ['oracle.password'],
    check: ({ oracle }) =>
      unless(oracle.password !== '', 'must be given, best as a file that BRIDGE_ORACLE_PASSWORD_FILE names'),
  },
  {
    keys: ['mqtt.subscriptions'],
    check: ({ mqtt }) =>
      unless(mqtt.subscriptions.length > 0, 'must have at least one subscription, such as { "topic": "plc/+/tags" }'),
  },
  {
    keys: ['http.host', 'http.token', 'http.enabled'],
    check: ({ http }) =>
      unless(
        !http.enabled || http.token !== '' || isLoopback(http.host),
        `must be this machine alone, such as 127.0.0.1, as long as http.token is empty, not "${http.host}"`,
      ),
  },
  {
    keys: ['control.socket'],
    // That of journal.dir, which nobody has asked for, is left out where its path is too long.
    check: ({ control }) => (control.socket === '' ? undefined : controlPathProblem(control.socket)),
  },
];
