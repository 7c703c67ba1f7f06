/** `npm run standin`: the stand-in database on its own, until SIGINT or SIGTERM. */
import { parseArgs } from 'node:util';
import { controlHelp, startControlPort } from './control.ts';
import { profiles } from './net/negotiation.ts';
import { type ProfileName, startStandin } from './standin.ts';

const help = `Stand-in for Oracle Database: speaks Oracle Net, keeps rows in memory.

  --port N           listen here (default 1521; 0: any free port)
  --control-port N   HTTP control port (default 0: any free port)
  --profile NAME     ${Object.keys(profiles).join(' or ')} (default 19c)
  --user NAME        default BRIDGE
  --password TEXT    default secret
  --latency MS       each answer comes so much later, as over a long line (default 0)
  --count-only       arrays of INSERTs are counted, not stored
  --help

Control port, on 127.0.0.1:
${controlHelp}

Examples:
  curl -d "SELECT COUNT(*) FROM tag_data" http://127.0.0.1:PORT/sql
  curl -d '{"on": "commit", "reset": "after"}' http://127.0.0.1:PORT/faults
  curl -d '{"sql": "tag_data", "error": 1653, "times": 3}' http://127.0.0.1:PORT/faults
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '1521' },
    'control-port': { type: 'string', default: '0' },
    profile: { type: 'string', default: '19c' },
    user: { type: 'string', default: 'BRIDGE' },
    password: { type: 'string', default: 'secret' },
    latency: { type: 'string', default: '0' },
    'count-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (!Object.hasOwn(profiles, values.profile)) throw new Error(`unknown profile ${values.profile}; see --help`);
  if (!(Number(values.latency) >= 0)) throw new Error(`--latency takes milliseconds, not ${values.latency}`);
  const standin = await startStandin({
    port: Number(values.port),
    profile: values.profile as ProfileName,
    users: { [values.user]: values.password },
    latencyMs: Number(values.latency),
    countOnly: values['count-only'],
  });
  const control = await startControlPort(standin, Number(values['control-port']));
  process.stdout.write(
    `database ${standin.connectString} (user ${values.user}, ${values.profile})\ncontrol http://127.0.0.1:${control.port}\n`,
  );
  const stop = (): void => {
    control.stop();
    standin.stop();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`standin: ${(error as Error).message}\n`);
  process.exitCode = 1;
});
