import type { Config } from '../config.ts';
import { tagNameTemplate } from '../kinds/plain-kinds.ts';
import type { Schema } from '../setting.ts';
import { mqttSchema } from './mqtt.ts';
import { oracleSchema } from './oracle.ts';
import { backupSchema, bufferSchema, journalSchema, writerSchema } from './pipeline.ts';
import { bridgeSchema, controlSchema, httpSchema, logSchema, noticesSchema } from './surroundings.ts';

/** The whole configuration, in the order in which the reference shows it. */
export const CONFIG_SCHEMA: Schema<Config> = {
  bridge: bridgeSchema,
  mqtt: mqttSchema,
  tagName: {
    doc: 'How the tag name of a row is made: {plc} stands for the PLC code, {tag} for the tag address.',
    kind: tagNameTemplate,
    default: '{plc}.{tag}',
  },
  buffer: bufferSchema,
  writer: writerSchema,
  oracle: oracleSchema,
  journal: journalSchema,
  backup: backupSchema,
  notices: noticesSchema,
  http: httpSchema,
  control: controlSchema,
  log: logSchema,
};
