import { figureText } from '../../core/wording.ts';
import type { Output } from '../command.ts';

const BAR_WIDTH = 30;
const DEFAULT_COLUMNS = 80;

/** A bar with its share: `[##########--------------------]  33 %`. */
export function progressBar(done: number, all: number): string {
  const share = shareOf(done, all);
  const bar = '#'.repeat(Math.floor(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '-');
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}

function shareOf(done: number, all: number): number {
  return all === 0 ? 0 : Math.min(1, done / all);
}

/** Shows how far something is: one line that is drawn again on a terminal, a line for each tenth elsewhere. */
export class ProgressLine {
  readonly #output: Output;
  #drawn = '';
  #tenth = -1;

  constructor(output: Output) {
    this.#output = output;
  }

  show(what: string, done: number, all: number): void {
    const figures = `${figureText(done)} of ${figureText(all)} rows`;
    if (this.#output.isTTY !== true) {
      const tenth = Math.floor(shareOf(done, all) * 10);
      if (tenth !== this.#tenth) this.#output.write(`${what}: ${figures}\n`);
      this.#tenth = tenth;
      return;
    }
    this.#draw(`${what} ${progressBar(done, all)}  ${figures}`);
  }

  /** Writes a line that stays. */
  say(text: string): void {
    if (this.#drawn !== '') this.#draw('');
    this.#drawn = '';
    this.#tenth = -1;
    this.#output.write(`${this.#output.isTTY === true ? '\r' : ''}${text}\n`);
  }

  /** A line that wrapped could not be drawn over: what is too long is cut. */
  #draw(text: string): void {
    const shown = text.slice(0, (this.#output.columns ?? DEFAULT_COLUMNS) - 1);
    this.#output.write(`\r${shown.padEnd(this.#drawn.length)}`);
    this.#drawn = shown;
  }
}
