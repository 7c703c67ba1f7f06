import { writeFileSync } from 'node:fs';

import { REFERENCE_FILES } from '../src/config/reference/reference.ts';

/* Writes the configuration reference that is checked in. A test fails when it is not up to date. */

for (const { file, generate } of REFERENCE_FILES) {
  writeFileSync(new URL(`../config/${file}`, import.meta.url), generate());
}
