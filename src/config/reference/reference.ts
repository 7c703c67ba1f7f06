import { configExample } from './example.ts';
import { configJsonSchema } from './json-schema.ts';
import { configMarkdown } from './markdown.ts';

/** The generated texts, each with its option of `config` and its file under config/. */
export const REFERENCE_FILES = [
  { option: 'json-schema', file: 'bridge.schema.json', generate: configJsonSchema },
  { option: 'markdown', file: 'REFERENCE.md', generate: configMarkdown },
  { option: 'example', file: 'bridge.example.json', generate: configExample },
] as const;
