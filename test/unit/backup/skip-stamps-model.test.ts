import { deepEqual, ok, rejects } from 'node:assert/strict';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { headerLine, ROW_COLUMNS } from '../../../src/backup/csv/row-format.ts';
import { BackupFolder } from '../../../src/backup/files/folder.ts';
import { SkipStamps } from '../../../src/backup/written/skip-stamps.ts';
import { ifThere } from '../../../src/core/durable-file.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const JOURNAL = 'journal-of-ours';

/**
 * What the disk does to the stamps of one step: it refuses the file, or to keep the name that the file has been given.
 */
type Disk = 'takes all' | 'refuses files' | 'refuses names';

type Step =
  | { readonly what: 'begins' | 'flush'; readonly disk: Disk }
  | { readonly what: 'grew'; readonly rows: number; readonly disk: Disk }
  | { readonly what: 'ledgerRead'; readonly behind: number; readonly disk: Disk }
  | { readonly what: 'read' | 'gone'; readonly file: number }
  | { readonly what: 'outcomeUnknown' | 'outcomeCertain' | 'kill' | 'power' };

type OnDisk = 'nothing' | 'to come' | number;

/** What the table says of a file, in other words. */
interface Model {
  readonly name: string;
  readonly rows: number[];
  inDoubt: number[];
  /** What the stamp says: as a program sees it, and what a power cut may leave instead. */
  seen: OnDisk;
  olders: OnDisk[];
  /** A stamp is known to be durable. */
  isStamped: boolean;
  /** It should have a stamp since it grew. */
  isOwed: boolean;
}

const disks = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Disk>('takes all') },
  { weight: 1, arbitrary: fc.constantFrom<Disk>('refuses files', 'refuses names') },
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('begins' as const, 'flush' as const), disk: disks }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('grew' as const), rows: fc.integer({ min: 1, max: 3 }), disk: disks }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('ledgerRead' as const),
      behind: fc.integer({ min: -2, max: 6 }),
      disk: disks,
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('read' as const, 'gone' as const), file: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constantFrom('outcomeUnknown' as const, 'outcomeCertain', 'kill', 'power') }),
  },
);

class Refused extends Error {}

/** The stamps on a disk that can lose what was not synced, and the table beside them. */
class Bench {
  readonly #disk: LossyDisk;
  #folder!: BackupFolder;
  #stamps!: SkipStamps;
  #files: Model[] = [];
  #current: Model | undefined;
  #place: number | undefined;
  #begun = 0;
  /** After so many steps the disk held what the table says. */
  stepsHeld = 0;
  #lastRow = 0;

  constructor(seed: number) {
    this.#disk = new LossyDisk(seededRandom(seed));
  }

  /** As `BackupDirectory.recover`. */
  async start(): Promise<void> {
    this.#folder = new BackupFolder('/backup', this.#disk.mount());
    this.#stamps = new SkipStamps({ folder: this.#folder, journalId: () => JOURNAL, log: new RecordingLogger() });
    await this.#folder.fileSystem.makeDirectory('/backup');
    await this.#folder.removeLeftovers(new RecordingLogger());
    await this.#folder.sync();
    for (const { name } of this.#files) this.#stamps.found(name);
  }

  async run(step: Step): Promise<void> {
    if ('disk' in step) this.#set(step.disk);
    if (step.what === 'begins') await this.#begins(step.disk);
    else if (step.what === 'grew') await this.#grew(step.rows, step.disk);
    else if (step.what === 'flush') await this.#same(this.#stamps.flush(), () => this.#flush(step.disk));
    else if (step.what === 'ledgerRead') await this.#ledgerRead(Math.max(0, this.#lastRow - step.behind), step.disk);
    else if (step.what === 'read') await this.#read(this.#files[step.file]);
    else if (step.what === 'gone') await this.#gone(this.#files[step.file]);
    else if (step.what === 'outcomeUnknown') this.#outcomeUnknown();
    else if (step.what === 'outcomeCertain') this.#outcomeCertain();
    else await this.#restart(step.what);
    this.#set('takes all');
    for (const file of this.#files) deepEqual([file.name, await this.#onDisk(file.name)], [file.name, file.seen]);
    this.stepsHeld += 1;
  }

  async #begins(disk: Disk): Promise<void> {
    const name = `backup_${String((this.#begun += 1)).padStart(4, '0')}.csv`;
    const isRefused = await this.#stamps.begins(name).then(
      () => false,
      () => true,
    );
    deepEqual(isRefused, disk !== 'takes all');
    this.#current = undefined;
    if (isRefused) return;
    const isStamped = this.#place !== undefined;
    this.#namesAreKept();
    this.#current = {
      name,
      rows: [],
      inDoubt: [],
      seen: this.#place ?? 'to come',
      olders: [],
      isStamped,
      isOwed: false,
    };
    this.#files.push(this.#current);
  }

  async #grew(count: number, disk: Disk): Promise<void> {
    const file = this.#current;
    if (file === undefined) return;
    const rows = Array.from({ length: count }, () => (this.#lastRow += 1));
    this.#set('takes all');
    await this.#append(file, rows);
    this.#set(disk);
    file.rows.push(...rows);
    file.inDoubt.push(...rows);
    file.isOwed ||= this.#place !== undefined && !file.isStamped;
    await this.#stamps.grew(file.name, at(rows[0]!), at(rows.at(-1)!));
    await this.#same(Promise.resolve(), () => {
      try {
        this.#flush(disk);
      } catch {
        // whoever wants to send a batch meets it
      }
    });
  }

  #ledgerRead(place: number, disk: Disk): Promise<void> {
    return this.#same(this.#stamps.ledgerRead(at(place)), () => {
      for (const file of this.#files.filter(({ inDoubt }) => inDoubt.length > 0)) {
        const isAmong = file.inDoubt[0]! <= place && place <= file.inDoubt.at(-1)!;
        if (!isAmong && file.isStamped) continue;
        this.#namesAreKept();
        if (typeof file.seen === 'number') Object.assign(file, { isStamped: true, isOwed: false });
        if (typeof file.seen !== 'number' || (isAmong && file.seen < place)) this.#write(file, place, disk);
      }
      this.#place = place;
    });
  }

  async #read(file: Model | undefined): Promise<void> {
    if (file === undefined) return;
    if (this.#place !== undefined) this.#flush('takes all');
    const stamp = this.#stamps.read(file.name);
    if (file.isOwed) return rejects(stamp, /once the ledger is read/);
    deepEqual((await stamp)?.messageNo, typeof file.seen === 'number' ? file.seen : undefined);
    this.#namesAreKept();
  }

  async #gone(file: Model | undefined): Promise<void> {
    if (file === undefined || file.rows.length === 0) return;
    await this.#folder.discard(file.name);
    this.#stamps.gone(file.name);
    this.#namesAreKept();
    this.#files = this.#files.filter((each) => each !== file);
    if (this.#current === file) this.#current = undefined;
  }

  #outcomeUnknown(): void {
    this.#stamps.outcomeUnknown();
    this.#place = undefined;
  }

  #outcomeCertain(): void {
    const inDoubt = this.#files.filter((file) => file.inDoubt.length > 0);
    deepEqual(
      this.#stamps.outcomeCertain(),
      inDoubt.map(({ name }) => name),
    );
    for (const file of inDoubt) file.inDoubt = [];
  }

  async #restart(how: 'kill' | 'power'): Promise<void> {
    if (how === 'kill') this.#disk.kill();
    else this.#disk.crash();
    this.#files = this.#files.filter(({ rows }) => rows.length > 0);
    this.#current = undefined;
    this.#place = undefined;
    await this.start();
    for (const file of this.#files) {
      const seen = await this.#onDisk(file.name);
      ok((how === 'kill' ? [file.seen] : [file.seen, ...file.olders]).includes(seen), `${file.name}: ${seen}`);
      Object.assign(file, { seen, olders: [], isStamped: false, isOwed: false, inDoubt: [...file.rows] });
    }
  }

  #flush(disk: Disk): void {
    const place = this.#place;
    if (place !== undefined) for (const file of this.#files) if (file.isOwed) this.#write(file, place, disk);
  }

  #write(file: Model, place: number, disk: Disk): void {
    if (disk === 'refuses files') throw new Refused();
    if (disk === 'refuses names') file.olders.push(file.seen);
    file.seen = place;
    if (disk === 'refuses names') throw new Refused();
    this.#namesAreKept();
    Object.assign(file, { isStamped: true, isOwed: false });
  }

  /** The directory was synced. */
  #namesAreKept(): void {
    for (const file of this.#files) file.olders = [];
  }

  /** Both succeed, or both are refused by the disk. */
  async #same(real: Promise<void>, model: () => void): Promise<void> {
    let isRefused = false;
    try {
      model();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      isRefused = true;
    }
    if (isRefused) await rejects(real, /EIO/);
    else await real;
  }

  async #append(file: Model, rows: readonly number[]): Promise<void> {
    const { fileSystem } = this.#folder;
    const isNew = file.rows.length === 0;
    const handle = await fileSystem[isNew ? 'create' : 'openAppend'](this.#folder.path(file.name));
    const lines = rows.map((row) => {
      const fields: Record<string, string> = { journal: JOURNAL, message_no: String(row), value_no: '0' };
      return headerLine(ROW_COLUMNS.map((column) => fields[column] ?? ''));
    });
    await handle.append(Buffer.from((isNew ? headerLine(ROW_COLUMNS) : '') + lines.join('')));
    await handle.sync();
    await handle.close();
    if (!isNew) return;
    await this.#folder.sync();
    this.#namesAreKept();
  }

  async #onDisk(name: string): Promise<OnDisk> {
    const bytes = await ifThere(this.#folder.fileSystem.read(this.#folder.path(`${name}.skip`)));
    if (bytes === undefined) return 'nothing';
    const { messageNo } = JSON.parse(bytes.toString()) as { messageNo?: number };
    return messageNo ?? 'to come';
  }

  #set(disk: Disk): void {
    let last = '';
    this.#disk.before = (operation) => {
      const isName = operation === 'syncDirectory' && last === 'rename';
      last = operation;
      const isRefused = (disk === 'refuses files' && operation === 'create') || (disk === 'refuses names' && isName);
      if (isRefused) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
  }
}

function at(messageNo: number) {
  return { messageNo, valueNo: 0 };
}

describe('the table of skip stamps', () => {
  it('holds for whatever comes, with a disk that refuses, kills and power cuts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(steps, { minLength: 3, maxLength: 30 }), async (seed, schedule) => {
        const bench = new Bench(seed);
        await bench.start();
        for (const step of schedule) await bench.run(step);
        expect(bench.stepsHeld).toBe(schedule.length);
      }),
      { numRuns: 300 },
    );
  });
});
