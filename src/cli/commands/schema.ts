import { destinationsOf } from '../../config/destinations.ts';
import { type Command, CONFIG_OPTIONS } from '../command.ts';
import { EXIT, EXIT_MEANINGS } from '../exit-codes.ts';

export const schemaCommand: Command = {
  name: 'schema',
  summary: 'prints the DDL of the tables, for a DBA',
  usage: `Usage: mqtt-oracle-bridge schema [--config FILE]...

Prints the CREATE TABLE statements for the tables and the ledger that the configuration
names, or for the default ones where there is none, with the key that oracle.onDuplicate
needs. Nothing is sent to a database.

Examples:
  mqtt-oracle-bridge schema --config config/bridge.json > tables.sql
  mqtt-oracle-bridge schema --set oracle.table=plant.tag_data`,
  exitCodes: { 0: 'printed', 66: EXIT_MEANINGS[66], 78: EXIT_MEANINGS[78] },
  options: CONFIG_OPTIONS,
  run: async ({ values }, io) => {
    const { oracle, tagName } = io.loadConfig(values, 'any');
    const { schemaDdl } = await import('../../oracle/schema.ts');
    io.stdout.write(`${schemaDdl(destinationsOf(oracle), { ...oracle, tagName }).trimEnd()}\n`);
    return EXIT.ok;
  },
};
