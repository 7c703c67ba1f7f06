/**
 * The stand-in database under every client that can be had: the same steps for all, on both profiles.
 *
 *     npm run standin:clients                              every client that can be had here
 *     npm run standin:clients -- --ci                      those of .ci/run
 *     npm run standin:clients -- --clients go-ora,ojdbc17
 *     npm run standin:clients -- --write                   and writes the table of the stand-in's README
 *
 * Packages are fetched and built once, into BRIDGE_BROKER_CACHE (default: a folder of the system's temporary
 * directory). A client whose toolchain or package is not here is skipped, with the reason. Ends with 1 when a step was
 * bad.
 */
import { parseArgs } from 'node:util';

import { type Client, CLIENTS } from '../test/clients/clients.ts';
import { PROFILES, runClient } from '../test/clients/run-client.ts';
import { type ClientResult, complaintsOf, isBad, tableOf, writeTable } from '../test/clients/table.ts';
import { Unavailable } from '../test/support/package-cache.ts';

const { values: flags } = parseArgs({
  options: {
    clients: { type: 'string', default: '' },
    ci: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

function chosen(): readonly Client[] {
  const names = flags.clients.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !CLIENTS.some((client) => client.name === name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; there are ${clientNames().join(', ')}`);
  return CLIENTS.filter((client) => (names.length === 0 || names.includes(client.name)) && (client.inCi || !flags.ci));
}

function clientNames(): string[] {
  return [...new Set(CLIENTS.map(({ name }) => name))];
}

async function tryClient(client: Client, signal: AbortSignal): Promise<ClientResult> {
  const missing = client.missing();
  if (missing !== undefined) return { client, skipped: missing, runs: [] };
  try {
    const command = await client.install();
    const runs = [];
    for (const profile of PROFILES) runs.push(await runClient(client, command, profile, signal));
    return { client, runs };
  } catch (error) {
    if (error instanceof Unavailable) return { client, skipped: error.message, runs: [] };
    throw error;
  }
}

async function main(): Promise<void> {
  if (flags.write && (flags.ci || flags.clients !== '')) {
    throw new Error('--write is for all clients: it would remove the others from the table');
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const results: ClientResult[] = [];
  for (const client of chosen()) {
    const result = await tryClient(client, stop.signal);
    results.push(result);
    const said = result.skipped ?? (isBad(result) ? 'not all' : 'all steps');
    process.stdout.write(`${client.name} ${client.version}: ${said}\n`);
  }
  const complaints = complaintsOf(results);
  process.stdout.write(`\n${tableOf(results)}\n${complaints.map((line) => `\n${line}`).join('')}\n`);
  if (flags.write) await writeTable(tableOf(results));
  const passed = results.filter((result) => result.skipped === undefined && !isBad(result)).length;
  const skipped = results.filter((result) => result.skipped !== undefined).length;
  process.stdout.write(`clients: ${passed} passed, ${results.length - passed - skipped} failed, ${skipped} skipped\n`);
  if (results.some(isBad)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`standin:clients: ${(error as Error).message}\n`);
  process.exitCode = 1;
});
