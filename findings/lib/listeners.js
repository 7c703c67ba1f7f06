/** Listeners that take a driver's call and hang up, or say nothing; none of them speaks Oracle's protocol. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';

export const WORK = process.env.WORK;
/** The names of the listeners that were called, in this order. */
export const calls = [];

/** `hangsUp` false: the call is taken and nothing is said. Resolves with the port. */
export async function listen(name, hangsUp = true) {
  const server = createServer((socket) => {
    calls.push(name);
    socket.on('error', () => {});
    if (hangsUp) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** One address of a connect descriptor. */
export function address(port) {
  return `(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT=${port}))`;
}

/** Tries to log on: who was called, in order, and the first line of the error. */
export async function refusalOf(oracledb, attributes) {
  calls.length = 0;
  const text = await oracledb.getConnection({ user: 'nobody', password: 'nothing', ...attributes }).then(
    () => 'logged on',
    (error) => error.message.split('\n')[0],
  );
  return { called: calls.join(' '), text };
}

/** The same by python-oracledb. */
export async function python(dsn, configDir = '') {
  calls.length = 0;
  const program = `
import oracledb, sys
try:
    oracledb.connect(user='nobody', password='nothing', dsn=sys.argv[1], config_dir=sys.argv[2] or None)
except oracledb.Error as error:
    print(str(error).split(chr(10))[0])`;
  const env = { ...process.env, PYTHONPATH: `${WORK}/site` };
  const { stdout } = await promisify(execFile)('python3', ['-c', program, dsn, configDir], { env });
  return { called: calls.join(' '), text: stdout.trim() };
}
