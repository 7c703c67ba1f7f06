import { connect, type Socket } from 'node:net';

/** Peers that say something, or nothing, and never read. */
export class Crowd {
  readonly #url: URL;
  readonly #count: number;
  readonly #says: string;
  #peers: Socket[] = [];

  constructor(url: string, count: number, says: string) {
    this.#url = new URL(url);
    this.#count = count;
    this.#says = says;
  }

  /** Those that were sent away come again. */
  async gather(): Promise<void> {
    this.#peers = this.#peers.filter(({ destroyed }) => !destroyed);
    const missing = Array.from({ length: this.#count - this.#peers.length }, () => this.#come());
    this.#peers.push(...(await Promise.all(missing)));
  }

  leave(): void {
    for (const peer of this.#peers) peer.destroy();
  }

  async #come(): Promise<Socket> {
    const peer = connect(Number(this.#url.port), this.#url.hostname);
    peer.on('error', () => {});
    // What says nothing may as well hear that it was sent away; what asks must not read the answer.
    if (this.#says !== '') peer.pause();
    else peer.resume();
    await new Promise<void>((resolve) => {
      peer.once('connect', resolve);
      peer.once('close', () => resolve());
    });
    if (this.#says !== '') peer.write(this.#says);
    return peer;
  }
}
