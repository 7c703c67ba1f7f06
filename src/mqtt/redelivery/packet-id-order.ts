/** Packet ids are those from 1 to 65,535 [MQTT 5.0 section 2.2.1]. */
const PACKET_IDS = 65_535;

/**
 * Whether the broker counts packet ids up, over connections too, as far as its deliveries show it. Then one means the
 * same message for tens of thousands of messages. Others take the lowest that is free, or begin anew on each
 * connection: there one says nothing.
 *
 * - A broker that gives an id again as soon as it is free has no more ids than messages in flight. So more different
 *   ids in a row than can be in flight show that it counts; those that were on their way when the first acknowledgement
 *   was proven are not of that row.
 * - One that begins anew shows it with the first new message of a connection, which does not follow closely on the last
 *   one before. Those that begin at 1 may seem to by chance, so that a low id shows nothing.
 */
export class PacketIdOrder {
  readonly #mostInFlight: number;
  /** So many different ids came in a row, and so many show that the broker counts. */
  #row = 0;
  #rowNeeded: number;
  #hasProof = false;
  /** The greatest id of a new message so far, going round; 0: none yet. */
  #front = 0;
  /** The first new message of this connection has not come yet. */
  #isNewConnection = false;
  /** Undefined: not seen yet. False for good in a session. */
  #continues: boolean | undefined;

  /**
   * `mostInFlight`: at least as many as the broker has in flight at once, and lost with a connection, where it keeps to
   * the window that it was asked for: over MQTT 3.1.1 there is none.
   */
  constructor(mostInFlight: number) {
    this.#mostInFlight = mostInFlight;
    this.#rowNeeded = mostInFlight;
  }

  /** An id means the same message over connections. */
  get countsOn(): boolean {
    return this.#row >= this.#rowNeeded && this.#continues === true;
  }

  /** What an earlier process had seen of the same session. */
  resume(countsOn: boolean): void {
    if (!countsOn) return;
    this.#row = Infinity;
    this.#continues = true;
  }

  /** So many deliveries of this connection may all be in flight at the broker, as far as is known. */
  sawInFlight(count: number): void {
    this.#rowNeeded = Math.max(this.#rowNeeded, 2 * count);
  }

  connected(): void {
    this.#isNewConnection = true;
    this.#hasProof = false;
  }

  /** An acknowledgement has arrived: from now on there are ids that are free. */
  proven(): void {
    this.#hasProof = true;
  }

  /** A delivery of a message that had not come before. `isUsedAgain`: its id stood for another one not long ago. */
  sawNew(packetId: number, duplicate: boolean, isUsedAgain: boolean): void {
    const isNext = this.#isNext(packetId);
    if (this.#isNewConnection && !duplicate) this.#compare(packetId, isNext);
    if (isNext || this.#front === 0 || !duplicate) this.#front = packetId;
    if (isUsedAgain) this.#row = 0;
    else if (this.#hasProof) this.#row += 1;
  }

  /**
   * A delivery of a message that may have come before. What follows closely is the latest id all the same; but a
   * connection that begins so shows nothing any more, as its first new message may have been this one.
   */
  sawPerhapsNew(packetId: number, duplicate: boolean): void {
    if (!duplicate) this.#isNewConnection = false;
    if (this.#isNext(packetId)) this.#front = packetId;
  }

  /** Another session, perhaps of another broker. */
  forget(): void {
    this.#row = 0;
    this.#front = 0;
    this.#continues = undefined;
  }

  #isNext(packetId: number): boolean {
    const aheadBy = (packetId - this.#front + PACKET_IDS) % PACKET_IDS;
    return aheadBy > 0 && aheadBy <= this.#mostInFlight;
  }

  #compare(packetId: number, isNext: boolean): void {
    this.#isNewConnection = false;
    if (this.#front === 0) return;
    if (!isNext) this.#continues = false;
    else if (packetId > this.#mostInFlight) this.#continues ??= true;
  }
}
