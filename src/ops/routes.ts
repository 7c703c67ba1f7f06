import type { Actions, Answer, Routes } from './http.ts';
import type { Metrics } from './metrics.ts';
import { statusPage } from './page.ts';
import { collectStatus, type StatusSources } from './status.ts';

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
  readonly metrics: Metrics;
  health(): Health;
  readiness(): Readiness;
  /** The answer of `/api/backups`, as JSON; none: there is no such page. */
  backups?(): readonly object[];
}

/** What the bridge tells over HTTP (INTERFACE.md, "HTTP"). */
export function createRoutes(sources: RouteSources): Routes {
  const { metrics } = sources;
  return {
    '/': () => ({
      status: 200,
      contentType: 'text/html; charset=utf-8',
      body: statusPage.html,
      headers: { 'content-security-policy': statusPage.contentSecurityPolicy },
    }),
    '/api/status': () => json(200, collectStatus(sources.status)),
    ...(sources.backups === undefined ? {} : { '/api/backups': () => json(200, sources.backups?.() ?? []) }),
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

/** Why an action is not done: 404 for what is not there, 409 for what can't be done with it. */
export interface Refusal {
  readonly status: 404 | 409;
  readonly message: string;
}

export interface ActionSources {
  readonly token: string;
  /** Queues the replay of a backup file. */
  replay(file: string): Promise<Refusal | undefined>;
}

/** What may be done over HTTP with the token (INTERFACE.md, "HTTP"). */
export function createActions(sources: ActionSources): Actions {
  const answer = async (file: string): Promise<Answer> => {
    const refusal = await sources.replay(file);
    return refusal === undefined ? json(202, { file }) : json(refusal.status, { message: refusal.message });
  };
  return { token: sources.token, posts: [{ path: /^\/api\/backups\/([^/]+)\/replay$/, answer }] };
}

function json(status: number, body: object): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}
