import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

import type { Launch } from './packages.ts';
import { tieToThisProcess } from '../support/tied-process.ts';

/** A program of this folder, with the library that it publishes by. It does what it is told, a line at a time. */
export class Publisher {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  #stderr = '';

  constructor({ args, command, env }: Launch) {
    this.#child = spawn(command, [...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    tieToThisProcess(this.#child);
    this.#child.stderr!.on('data', (text: Buffer) => (this.#stderr += text.toString()));
    this.#lines = createInterface({ input: this.#child.stdout! });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** `argument`: JSON as text, whose numbers may have more digits than a double holds. Throws what went wrong there. */
  async do(command: string, argument = '{}'): Promise<void> {
    this.#child.stdin!.write(`{"do":"${command}","with":${argument}}\n`);
    const { done, value } = await this.#answers.next();
    if (done === true || value !== 'done') {
      throw new Error(`${command} failed: ${done === true ? this.#stderr : value}`);
    }
  }

  /** Ends it without a word to the broker. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    this.#lines.close();
  }
}
