import { csvDownload, json, plain, type Answer, type ByteStream, type Routes } from './answers.ts';
import type { EventStreams } from './event-streams.ts';
import type { History } from './history.ts';
import type { ListedBackup } from './listed-backup.ts';
import type { Metrics } from './metrics.ts';
import { pageRoutes } from './page.ts';
import type { Refusals } from './refusals.ts';
import { collectStatus, type StatusSources } from './collect-status.ts';
import { TAG_ORDERS } from './tag-order.ts';
import type { TagTraces } from './tag-traces.ts';
import type { TagsSeen, TagView } from './tags-seen.ts';

/** Whether the process is alive and its loops get on. */
export interface Health {
  readonly ok: boolean;
  readonly problems: readonly string[];
}

/** Whether messages are taken in. A database that is down is `degraded`, and still ready: its values are backed up. */
export interface Readiness {
  readonly ready: boolean;
  readonly degraded: boolean;
  readonly problems: readonly string[];
}

export interface RouteSources {
  readonly status: StatusSources;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  readonly events: Pick<EventStreams, 'answer'>;
  readonly history: Pick<History, 'answer'>;
  readonly tags: Pick<TagsSeen, 'find'>;
  readonly traces: Pick<TagTraces, 'answer'>;
  readonly refusals: Pick<Refusals, 'answer'>;
  health(): Health;
  readiness(): Readiness;
  backups(): readonly ListedBackup[];
  /** The content of a backup file; undefined for all that is no name of a known file. */
  download(file: string): Promise<ByteStream | undefined>;
}

/** Everything that the bridge answers to GET. */
export function createRoutes(sources: RouteSources): Routes {
  const { events, history, metrics, refusals, tags, traces } = sources;
  return {
    ...pageRoutes(),
    '/api/status': () => json(200, collectStatus(sources.status)),
    '/api/events': () => events.answer(),
    '/api/history': () => json(200, history.answer()),
    '/api/tags': ({ query }) => findTags(tags, query, sources.status.clock.now()),
    '/api/trace': ({ query }) => traceOf(traces, query.get('tag')),
    '/api/outages': () => json(200, sources.status.outages()),
    '/api/refusals': () => json(200, refusals.answer()),
    '/api/backups': () => json(200, sources.backups()),
    '/api/backups/*': async ({ part }) => {
      const content = await sources.download(part);
      return content === undefined ? plain(404, 'no such backup file') : csvDownload(part, content);
    },
    '/healthz': () => {
      const health = sources.health();
      return json(health.ok ? 200 : 500, health);
    },
    '/readyz': () => {
      const readiness = sources.readiness();
      return json(readiness.ready ? 200 : 503, readiness);
    },
    '/metrics': async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.text() }),
  };
}

const TAGS_LISTED = 200;
const MAX_TAGS_LISTED = 1000;

function findTags(tags: RouteSources['tags'], query: URLSearchParams, nowMs: number): Answer {
  const limitText = query.get('limit') ?? String(TAGS_LISTED);
  const limit = /^\d+$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > MAX_TAGS_LISTED) return plain(400, `limit must be 1 to ${MAX_TAGS_LISTED}`);
  const view = viewOf(query, nowMs);
  return typeof view === 'string' ? plain(400, view) : json(200, tags.find(query.get('search') ?? '', limit, view));
}

const QUALITIES = ['all', 'bad'] as const;

/** The view that is asked for, or what is wrong with the question. */
function viewOf(query: URLSearchParams, nowMs: number): TagView | string {
  const [orderText, qualityText] = [query.get('order') ?? 'name', query.get('quality') ?? 'all'];
  const order = TAG_ORDERS.find((each) => each === orderText);
  if (order === undefined) return `order must be one of ${TAG_ORDERS.join(', ')}`;
  const quality = QUALITIES.find((each) => each === qualityText);
  if (quality === undefined) return `quality must be one of ${QUALITIES.join(', ')}`;
  const ageText = query.get('olderThanSeconds') ?? '0';
  if (!/^\d{1,9}$/.test(ageText)) return 'olderThanSeconds must be a whole number of seconds, of at most nine digits';
  const ageMs = Number(ageText) * 1000;
  return { order, quality, ...(ageMs === 0 ? {} : { beforeMs: nowMs - ageMs }) };
}

function traceOf(traces: RouteSources['traces'], tag: string | null): Answer {
  if (tag === null || tag === '') return plain(400, 'tag must be the name of a tag');
  const answer = traces.answer(tag);
  return answer === undefined ? plain(404, 'no value of this tag has come since the start') : json(200, answer);
}
