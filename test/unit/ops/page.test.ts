import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import type { Answer } from '../../../src/ops/answers.ts';
import { pageRoutes } from '../../../src/ops/page.ts';

const DIRECTORY = join(import.meta.dirname, '../../../src/ops/page');

const routes = pageRoutes();

async function partAt(path: string): Promise<Answer & { readonly body: string }> {
  const answer = await routes[path]?.({ query: new URLSearchParams(), part: '' });
  if (typeof answer?.body !== 'string') throw new Error(`${path} is no part of the page`);
  return { ...answer, body: answer.body };
}

/** What a part loads, as it names it. */
function loadedBy(text: string): string[] {
  return [...text.matchAll(/(?:<script src|<link rel="stylesheet" href)="([^"]+)"|^import .* from '([^']+)'/gm)].map(
    (match) => (match[1] ?? match[2])!,
  );
}

describe('the status page', () => {
  it('names relative to itself what it loads, and all of it is served as what it is', async () => {
    const seen = new Set<string>();
    const toLookAt = ['/'];
    for (const path of toLookAt) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { body, contentType } = await partAt(path);
      expect(contentType).toMatch(
        path.endsWith('.js') ? /^text\/javascript;/ : path.endsWith('.css') ? /^text\/css;/ : /^text\/html;/,
      );
      if (path.startsWith('/uplot')) continue;
      for (const name of loadedBy(body)) {
        expect(name).toMatch(/^(?:\.\/)?[a-z]+\.(?:js|css)$/);
        toLookAt.push(`/${name.replace('./', '')}`);
      }
    }
    expect([...seen].sort()).toEqual(Object.keys(routes).sort());
  });

  it('serves each file of its folder', () => {
    const files = readdirSync(DIRECTORY).filter((name) => !name.endsWith('.json'));
    const served = Object.keys(routes).map((path) => (path === '/' ? 'page.html' : path.slice(1)));
    expect(served.filter((name) => !name.startsWith('uplot')).sort()).toEqual(files.sort());
  });

  it.each(Object.keys(routes))('allows at %s nothing inline and nothing from elsewhere', async (path) => {
    const { headers, body } = await partAt(path);
    const policy = headers?.['content-security-policy'] ?? '';
    for (const part of [`default-src 'none'`, `script-src 'self'`, `style-src 'self'`, `frame-ancestors 'none'`]) {
      expect(policy.split('; ')).toContain(part);
    }
    expect(policy).not.toContain('unsafe');
    if (path.startsWith('/uplot')) return;
    expect(body).not.toMatch(/https?:\/\/|@import\b|url\(|<style|<script>|\sstyle="|\son[a-z]+="/);
    expect(body).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  });
});
