import { describe, expect, it } from 'vitest';

import { describeStartFailure } from '../../../src/cli/process/start-failure.ts';
import { loadConfig } from '../../../src/config/load.ts';

const config = loadConfig({ files: [], env: {}, need: 'any' });

function systemError(code: string, syscall: string, path?: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { code, syscall, ...(path === undefined ? {} : { path }) });
}

describe('describeStartFailure', () => {
  it.each([
    [systemError('EADDRINUSE', 'listen'), 69, 'http.port: 8080 on 127.0.0.1 is taken'],
    [systemError('EACCES', 'listen'), 69, 'http.port: 8080 may only be listened on by root'],
    [systemError('EADDRNOTAVAIL', 'listen'), 69, "http.host: can't listen on 127.0.0.1"],
    [systemError('ENOTFOUND', 'getaddrinfo'), 69, 'http.host'],
    [Object.assign(new Error('/j is in use by process 7'), { code: 'EBUSY' }), 69, 'journal.dir: /j is in use'],
    [systemError('EACCES', 'mkdir', '/var/backup'), 73, "can't create the directory /var/backup"],
    [systemError('EIO', 'write', '/x'), 74, 'EIO: write'],
    [new Error('bug'), 70, 'bug'],
    [Object.assign(new Error('bad input'), { code: 'ERR_INVALID_ARG_TYPE' }), 70, 'bad input'],
    ['text', 70, 'text'],
  ])('knows %s', (thrown, exitCode, problem) => {
    const failure = describeStartFailure(thrown, config);
    expect(failure.exitCode).toBe(exitCode);
    expect(failure.problem).toContain(problem);
  });

  it('looks at the causes of an error that says nothing itself', () => {
    const error = new Error('backup could not start', { cause: systemError('EROFS', 'mkdir', '/ro') });
    expect(describeStartFailure(error, config)).toMatchObject({ exitCode: 73 });
  });
});
