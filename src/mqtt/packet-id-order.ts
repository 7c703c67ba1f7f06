/**
 * Whether the broker counts packet ids up, over connections too, as far as its deliveries show it. Then one means the same message for tens
 * of thousands of messages. Others take the lowest that is free, or begin at 1 on each connection: there one says nothing.
 *
 * A broker that gives an id again as soon as it is free has no more ids than messages in flight. So more different ids in a row than can
 * be in flight show that it counts; those that were on their way when the first acknowledgement was proven are not of that row. And a
 * connection whose first id is not 1 did not begin anew.
 */
export class PacketIdOrder {
  readonly #leastRow: number;
  #row = 0;
  #countsUp = false;
  #hasProof = false;
  #first = 0;

  /** `leastRow`: more than the broker has in flight at once. */
  constructor(leastRow: number) {
    this.#leastRow = leastRow;
  }

  /** So far no id was used again before its time. True over restarts and connections, until one is. */
  get countsUp(): boolean {
    return this.#countsUp;
  }

  /** What an earlier process had seen of the same session. */
  resume(countsUp: boolean): void {
    this.#countsUp = countsUp;
  }

  /** On the present connection an id means what it meant on the ones before. */
  get isKeptOverConnections(): boolean {
    return this.#countsUp && this.#first !== 1;
  }

  connected(): void {
    this.#first = 0;
    this.#hasProof = false;
  }

  /** An acknowledgement has arrived: from now on there are ids that are free. */
  proven(): void {
    this.#hasProof = true;
  }

  /** Each delivery, in the order of arrival. */
  saw(packetId: number): void {
    if (this.#first === 0) this.#first = packetId;
  }

  /** The delivery was of a message that had not come before. `isUsedAgain`: its id stood for another message not long ago. */
  sawNew(isUsedAgain: boolean): void {
    if (isUsedAgain) {
      this.#row = 0;
      this.#countsUp = false;
    } else if (this.#hasProof) {
      this.#row += 1;
      this.#countsUp ||= this.#row >= this.#leastRow;
    }
  }

  /** Another session, perhaps of another broker. */
  forget(): void {
    this.#row = 0;
    this.#countsUp = false;
  }
}
