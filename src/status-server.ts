import { refusalToDiscard } from './backup/files/file-info.ts';
import { UnknownFileError } from './backup/files/folder.ts';
import { openDownload } from './backup/files/download.ts';
import { listFiles, type ListedFile } from './backup/replay/listing.ts';
import { ReplayRefusedError } from './backup/replay/replays.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { controlPath } from './core/control-path.ts';
import { systemErrorCode } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import { mendedName } from './core/mended-name.ts';
import { nodeFileSystem } from './core/node-filesystem.ts';
import { createActions, type Refusal } from './ops/actions.ts';
import { ControlSocket } from './ops/control-socket.ts';
import { EventStreams } from './ops/event-streams.ts';
import type { History } from './ops/history.ts';
import { HttpServer } from './ops/http.ts';
import type { Metrics } from './ops/metrics.ts';
import type { Refusals } from './ops/refusals.ts';
import { createQuestions } from './ops/questions.ts';
import { createRoutes, type Health, type Readiness } from './ops/routes.ts';
import { collectStatus, type StatusSources } from './ops/collect-status.ts';
import type { TagTraces } from './ops/tag-traces.ts';
import type { TagsSeen } from './ops/tags-seen.ts';
import type { Pipeline } from './pipeline.ts';

export interface StatusServerParts {
  readonly config: Pick<Config, 'http' | 'control' | 'journal'>;
  readonly pipeline: Pipeline;
  readonly status: StatusSources;
  readonly metrics: Metrics;
  readonly history: History;
  readonly tags: TagsSeen;
  readonly traces: TagTraces;
  readonly refusals: Refusals;
  health(): Health;
  readiness(): Readiness;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a page can show of a message that is tried. */
const TRIED_ROWS = 200;

/**
 * What is served over HTTP, and over the local socket to commands on this machine, with the bridge's parts behind it.
 */
export class StatusServer {
  readonly #parts: StatusServerParts;
  readonly #events: EventStreams;
  readonly #http: HttpServer | undefined;
  readonly #control: ControlSocket | undefined;

  constructor(parts: StatusServerParts) {
    const { clock, config, history, log, pipeline } = parts;
    this.#parts = parts;
    const backups = (): ListedFile[] => this.#listBackups();
    this.#events = new EventStreams({ clock, history, status: () => collectStatus(parts.status), backups, log });
    const routes = createRoutes({
      ...parts,
      events: this.#events,
      health: () => parts.health(),
      readiness: () => parts.readiness(),
      backups,
      download: (file) => openDownload(nodeFileSystem, pipeline.backups, file),
    });
    const acts = {
      replay: (file: string, to: string | undefined) => this.#replay(file, to),
      discard: (file: string) => this.#discard(file),
      seal: (file: string) => this.#seal(file),
      mend: (file: string, by: number) => this.#mend(file, by),
    };
    const questions = createQuestions({
      tryMessage: (topic, payload) => pipeline.tryMessage(topic, payload, TRIED_ROWS),
      undecodable: (number) => parts.refusals.undecodable(number),
    });
    const shared = { routes, questions, clock, log };
    const { control, http, journal } = config;
    if (http.enabled) {
      this.#http = new HttpServer({ ...http, ...shared, actions: createActions({ token: http.token, ...acts }) });
    }
    const path = controlPath({ control, journal });
    if (path !== undefined) {
      const actions = createActions({ token: undefined, ...acts });
      const isOwnDirectory = control.socket === '';
      this.#control = new ControlSocket({ ...control, ...shared, actions, path, isOwnDirectory });
    }
  }

  /** Where HTTP is served, without a final slash; empty before `start`, and when it is switched off. */
  get url(): string {
    return this.#http?.url ?? '';
  }

  /** Throws when the port is taken, or the address is none of this machine. */
  async start(): Promise<void> {
    await this.#http?.start();
    await this.#control?.start();
  }

  /** Nothing more can be asked for by the local socket. To be called while the journal keeps others out. */
  async stopControl(): Promise<void> {
    await this.#control?.stop();
  }

  async stop(): Promise<void> {
    this.#events.stop();
    await this.#http?.stop();
  }

  #listBackups(): ListedFile[] {
    const { backups, replays } = this.#parts.pipeline;
    return listFiles(backups, replays);
  }

  /** Queues a replay. Undefined when the file is queued, else why it is not. */
  async #replay(file: string, to: string | undefined): Promise<Refusal | undefined> {
    const { replays } = this.#parts.pipeline;
    if (replays === undefined) return { status: 409, message: 'the bridge is still starting' };
    return unlessRefused(() => replays.request(file, to));
  }

  /** Undefined when the file is sealed, or not there: who asks for more finds that out. */
  async #seal(file: string): Promise<Refusal | undefined> {
    const { backups } = this.#parts.pipeline;
    await backups.seal(file);
    if (backups.file(file)?.state !== 'open') return undefined;
    return { status: 409, message: `${file} is being written and could not be sealed` };
  }

  /** Puts a mended file in the place of a sealed one. Undefined when that is done, else why it is not. */
  async #mend(file: string, by: number): Promise<Refusal | undefined> {
    const { pipeline } = this.#parts;
    const { backups, replays } = pipeline;
    if (replays === undefined) return { status: 409, message: 'the bridge is still starting' };
    return unlessRefused(async () => {
      await pipeline.saveSettled(file);
      await replays.beforeReplay(file, () => backups.replace(file, mendedName(file, by)));
    });
  }

  /** Discards a file. Undefined when the file is gone, else why it is not. */
  async #discard(file: string): Promise<Refusal | undefined> {
    const { pipeline } = this.#parts;
    const { backups, replays } = pipeline;
    const notSealed = await this.#seal(file);
    if (notSealed !== undefined) return notSealed;
    const info = backups.file(file);
    const replaying = replays?.allProgress().map((each) => each.file);
    const refusal = info === undefined ? undefined : refusalToDiscard(info, replaying);
    if (refusal !== undefined) return { status: 409, message: refusal };
    return unlessRefused(() => pipeline.discard(file));
  }
}

async function unlessRefused(act: () => Promise<void>): Promise<Refusal | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof UnknownFileError) return { status: 404, message: error.message };
    if (error instanceof ReplayRefusedError) return { status: 409, message: error.message };
    if (systemErrorCode(error) === 'ENOENT') {
      return {
        status: 409,
        message: 'the mended file is not there any more: a start of the bridge removes it; try again',
      };
    }
    throw error;
  }
}
