/*
 * Installs what test/deploy/kubernetes.test.ts holds deploy/kubernetes against: schemas of Kubernetes' objects. Where
 * they can't be had this is said, and no failure: their tests are skipped.
 */
import { installSchemas } from '../test/deploy/kubernetes-schemas.ts';

const found = await installSchemas();
process.stdout.write(`kubernetes-validate: ${'site' in found ? 'installed' : found.missing}\n`);
