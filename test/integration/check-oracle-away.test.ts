import { afterEach, describe, expect, it } from 'vitest';

import { runCheck } from '../support/preflight.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';

let standin: Standin | undefined;

afterEach(() => {
  standin?.stop();
  standin = undefined;
});

describe('check --connect without a connection to Oracle says what to do when', () => {
  it.each([
    ['the password is wrong', { password: 'wrong' }, ['ORA-01017', 'Correct oracle.user and oracle.password']],
    [
      'the service is unknown',
      { service: 'NOPE' },
      ['Service "NOPE" is not registered', '→ the listener knows no such service'],
    ],
    ['nobody listens', { connectString: '127.0.0.1:9/none' }, ['NJS-503', '→ nothing listens there']],
  ])('%s', async (_what, { service, ...oracle }: Readonly<Record<string, string>>, expected) => {
    standin = await startStandin();
    const connectString = standin.connectString.replace('FREEPDB1', service ?? 'FREEPDB1');
    const { exitCode, out } = await runCheck({ oracle: { connectString, ...oracle } });
    const section = out.slice(out.indexOf('Oracle '));
    for (const text of expected) expect(section).toContain(text);
    expect(section).toContain('  ✗ failed   connection: ');
    expect(exitCode).toBe(69);
    expect(standin.stats.logonsTried).toBeLessThanOrEqual(1);
  });

  it('nobody answers, after the timeout', async () => {
    standin = await startStandin();
    standin.blackHole(true);
    const { connectString } = standin;
    const { out } = await runCheck({ oracle: { connectString, connectTimeoutMs: 200 } });
    expect(out.slice(out.indexOf('Oracle '))).toMatch(/✗ failed {3}connection: .*\n +→ nobody answers/);
  });

  it('the connection is lost on the way', async () => {
    standin = await startStandin();
    standin.faults.add({ sql: /all_objects/i, reset: 'before', times: Infinity });
    const { connectString } = standin;
    const { out } = await runCheck({ oracle: { connectString } });
    expect(out.slice(out.indexOf('Oracle '))).toMatch(/✓ ok {7}connection[^]*✗ failed {3}dictionary: /);
  });
});
