import type { TagBuffer } from './tag-buffer.ts';

/** The buffers of all lanes together, as they are whenever somebody looks. */
export class BufferSums {
  readonly #buffers: () => readonly TagBuffer[];

  constructor(buffers: () => readonly TagBuffer[]) {
    this.#buffers = buffers;
  }

  get size(): number {
    return this.#sum(({ size }) => size);
  }

  get capacity(): number {
    return this.#sum(({ capacity }) => capacity);
  }

  /** How many values newer ones have taken the place of, since the start. */
  get evicted(): number {
    return this.#sum(({ evicted }) => evicted);
  }

  #sum(read: (buffer: TagBuffer) => number): number {
    return this.#buffers().reduce((sum, buffer) => sum + read(buffer), 0);
  }
}
