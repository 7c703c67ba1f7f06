import type { Answer, Routes } from './http.ts';
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

function json(status: number, body: object): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n` };
}
