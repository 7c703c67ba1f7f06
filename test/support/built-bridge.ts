import { fileURLToPath } from 'node:url';

/** The main file of the bridge as it is installed: build.ts makes it before the tests that run it. */
export const BUILT_BRIDGE = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
