import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { DatabaseError } from '../../../src/core/errors.ts';
import { createLogger, type Logger, type LoggerOptions, RepeatedError } from '../../../src/core/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

/** The stream behind winston's console transport. */
const { _stdout: standardOutput } = console as unknown as { _stdout: NodeJS.WritableStream };

const written: string[] = [];

let directory = '';
beforeEach(async () => {
  written.length = 0;
  vi.spyOn(standardOutput, 'write').mockImplementation((text) => written.push(text) > 0);
  directory = await mkdtemp(join(tmpdir(), 'logger-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true, force: true });
});

/** The lines that end up in the file of a log that `use` wrote to. */
async function linesOf(use: (log: Logger) => void, options: Partial<LoggerOptions> = {}): Promise<string[]> {
  const file = join(directory, 'bridge.log');
  const log = createLogger({ level: 'info', format: 'json', file, ...options });
  use(log);
  await log.close();
  return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
}

async function fieldsOf(use: (log: Logger) => void): Promise<Record<string, unknown>> {
  const [line] = await linesOf(use);
  return JSON.parse(line!) as Record<string, unknown>;
}

describe('createLogger', () => {
  it('writes one JSON object a line, with time, level, message and fields', async () => {
    expect(await fieldsOf((log) => log.warn('buffer full', { size: 3, tag: 'PLC01.D100' }))).toEqual({
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'warn',
      message: 'buffer full',
      size: 3,
      tag: 'PLC01.D100',
    });
  });

  it('changes its level, and that of children made before, from the next line on', async () => {
    const file = join(directory, 'bridge.log');
    const log = createLogger({ level: 'info', format: 'json', file });
    const child = log.child({ stage: 'x' });
    child.debug('before');
    log.setLevel('debug');
    child.debug('meanwhile');
    log.setLevel('error');
    child.warn('after');
    log.error('at last');
    await log.close();
    const messages = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(messages.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['meanwhile', 'at last']);
    expect(written).toHaveLength(2);
  });

  it('writes each line to standard output too', async () => {
    const [line] = await linesOf((log) => log.info('started'));
    expect(written).toEqual([`${line}\n`]);
  });

  it('lets nobody but its user and the group read the file, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await linesOf((log) => log.info('started'));
    } finally {
      process.umask(before);
    }
    expect((await stat(join(directory, 'bridge.log'))).mode % 0o1000).toBe(0o640);
  });

  it('puts nothing that others chose on a line of its own', async () => {
    const hostile = 'a\n{"level":"error","message":"forged"}\r\u001b[2J\u0000\u2028';
    const lines: string[] = [];
    for (const format of ['json', 'text'] as const) {
      lines.push(
        ...(await linesOf((log) => log.info('x', { tag: hostile, list: [hostile], error: hostile }), { format })),
      );
      await rm(join(directory, 'bridge.log'));
    }
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).not.toMatch(/\p{Cc}/u);
  });

  it('keeps all lines of a burst when it is closed, in order', async () => {
    const lines = await linesOf((log) => {
      for (let n = 0; n < 2000; n += 1) log.info('line', { n });
    });
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 2000 }, (_, n) => n),
    );
  });

  it.each([
    ['error', 1],
    ['warn', 2],
    ['info', 3],
    ['debug', 4],
  ] as const)('at level %s writes %i of the four levels', async (level, count) => {
    const logAll = (log: Logger): void => {
      log.error('a');
      log.warn('b');
      log.info('c');
      log.debug('d');
    };
    expect(await linesOf(logAll, { level })).toHaveLength(count);
  });

  it('a child adds its fields to each line, its own children theirs, and the parent none', async () => {
    const lines = await linesOf((log) => {
      const child = log.child({ stage: 'writer' });
      child.child({ attempt: 2 }).info('retry', { code: 'ORA-03113' });
      child.info('child');
      log.info('parent');
    });
    const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ stage: 'writer', attempt: 2, code: 'ORA-03113' });
    expect(second).toMatchObject({ stage: 'writer', message: 'child' });
    expect(second).not.toHaveProperty('attempt');
    expect(third).not.toHaveProperty('stage');
  });

  it('shows what was thrown: message, code and the chain of causes, without a stack', async () => {
    const socket = Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:1521'), { code: 'ECONNREFUSED' });
    const error = new DatabaseError('connection', 'NJS-503', 'connection could not be made', { cause: socket });
    expect((await fieldsOf((log) => log.error('batch failed', { error })))['error']).toEqual({
      message: 'connection could not be made',
      code: 'NJS-503',
      cause: { message: 'connect ECONNREFUSED 10.0.0.5:1521', code: 'ECONNREFUSED' },
    });
  });

  it('shows the stack of a mistake of our own', async () => {
    const { error } = await fieldsOf((log) => log.error('stage failed', { error: new TypeError('x is undefined') }));
    expect(error).toMatchObject({ message: 'x is undefined', stack: expect.stringContaining('logger.test.ts') });
  });

  it.each([
    ['a text', 'gone', 'gone'],
    ['a number', 5, { message: '5' }],
    ['nothing', undefined, { message: 'undefined' }],
  ])('takes %s as what was thrown', async (_what, error, expected) => {
    expect((await fieldsOf((log) => log.error('failed', { error })))['error']).toEqual(expected);
  });

  it('does not change the error or the fields that it was given', async () => {
    const error = new Error('gone');
    const fields = { error };
    await linesOf((log) => log.error('failed', fields));
    expect(fields.error).toBe(error);
  });

  it('writes text for a person: level, message and fields, quoted where needed', async () => {
    const [line] = await linesOf(
      (log) => log.warn('buffer full', { size: 3, topic: 'plc/1', reason: 'a "quoted" word', none: '', list: [1] }),
      { format: 'text' },
    );
    expect(line).toMatch(
      /^\S+Z WARN {2}buffer full size=3 topic=plc\/1 reason="a \\"quoted\\" word" none="" list=\[1\]$/,
    );
  });

  it.each(['json', 'text'] as const)(
    'keeps a hostile field within its line and harmless to a terminal (%s)',
    async (format) => {
      const hostile = 'x\n2025-01-01 ERROR forged\r\u001b[31m';
      const lines = await linesOf((log) => log.info('message', { hostile, other: '\u001b]0;title\u0007' }), { format });
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toMatch(/\p{Cc}/u);
    },
  );

  it.each(['json', 'text'] as const)('never throws for a field that JSON does not know (%s)', async (format) => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const lines = await linesOf(
      (log) => {
        log.info('odd', { big: 12n, circular, symbol: Symbol('s'), missing: undefined, run: () => 1 });
        log.info('after');
      },
      { format },
    );
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('12');
  });

  it('drops a line after its end, and does not harm the process', async () => {
    const file = join(directory, 'bridge.log');
    const log = createLogger({ level: 'info', format: 'json', file });
    log.info('in time');
    await log.close();
    log.info('too late');
    log.child({ stage: 'writer' }).error('too late');
    expect(await readFile(file, 'utf8')).not.toContain('too late');
  });

  it('goes on to standard output and ends in time when its file cannot be opened', async () => {
    const log = createLogger({ level: 'info', format: 'json', file: directory });
    log.info('still here');
    await log.close();
    expect(written.join('')).toContain('still here');
  });

  it('can be closed twice', async () => {
    const log = createLogger({ level: 'info', format: 'json', file: join(directory, 'bridge.log') });
    await Promise.all([log.close(), log.close()]);
    await expect(log.close()).resolves.toBeUndefined();
  });
});

describe('RepeatedError', () => {
  function repeated(level?: 'warn') {
    const clock = new FakeClock();
    const log = new RecordingLogger();
    return { clock, log, error: new RepeatedError(log, clock, 'write failed', level) };
  }

  it('logs the first at once, then one every 30 s with how many came since', async () => {
    const { clock, log, error } = repeated();
    for (let second = 0; second <= 60; second += 1) {
      error.report({ second });
      await clock.advance(1000);
    }
    expect(log.entries).toEqual([
      { level: 'error', message: 'write failed', fields: { second: 0 } },
      { level: 'error', message: 'write failed', fields: { second: 30, repeated: 29 } },
      { level: 'error', message: 'write failed', fields: { second: 60, repeated: 29 } },
    ]);
  });

  it('logs at once again after it was over, and counts from nothing', () => {
    const { log, error } = repeated('warn');
    error.report({ n: 1 });
    error.report({ n: 2 });
    error.over();
    error.report({ n: 3 });
    expect(log.entries.map(({ level, fields }) => [level, fields])).toEqual([
      ['warn', { n: 1 }],
      ['warn', { n: 3 }],
    ]);
  });
});
