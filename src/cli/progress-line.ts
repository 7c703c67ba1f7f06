import type { Output } from './command.ts';

const BAR_WIDTH = 30;
const number = new Intl.NumberFormat('en-US');

/** Shows how far something is: one line that is drawn again on a terminal, a line for each tenth elsewhere. */
export class ProgressLine {
  readonly #output: Output;
  #drawn = '';
  #tenth = -1;

  constructor(output: Output) {
    this.#output = output;
  }

  show(what: string, done: number, all: number): void {
    const share = all === 0 ? 0 : Math.min(1, done / all);
    const figures = `${number.format(done)} of ${number.format(all)} rows`;
    if (this.#output.isTTY !== true) {
      const tenth = Math.floor(share * 10);
      if (tenth !== this.#tenth) this.#output.write(`${what}: ${figures}\n`);
      this.#tenth = tenth;
      return;
    }
    const bar = '#'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '-');
    this.#draw(`${what} [${bar}] ${Math.floor(share * 100)} %  ${figures}`);
  }

  /** A line that stays. */
  say(text: string): void {
    if (this.#drawn !== '') this.#draw('');
    this.#drawn = '';
    this.#tenth = -1;
    this.#output.write(`${this.#output.isTTY === true ? '\r' : ''}${text}\n`);
  }

  #draw(text: string): void {
    this.#output.write(`\r${text.padEnd(this.#drawn.length)}`);
    this.#drawn = text;
  }
}
