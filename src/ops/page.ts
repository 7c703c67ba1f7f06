import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Answer, Routes } from './answers.ts';

const CONTENT_TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
} as const;

const DIRECTORY = fileURLToPath(new URL('page', import.meta.url));
const require = createRequire(import.meta.url);

/**
 * Each part of the page by its path: a file in page/, or one of an installed package. The page names them relative to
 * itself.
 */
const PARTS: Readonly<Record<string, string>> = {
  '/': 'page.html',
  '/page.css': 'page.css',
  '/way.css': 'way.css',
  '/figures.css': 'figures.css',
  '/sections.css': 'sections.css',
  '/page.js': 'page.js',
  '/live.js': 'live.js',
  '/clock.js': 'clock.js',
  '/format.js': 'format.js',
  '/dom.js': 'dom.js',
  '/verdict.js': 'verdict.js',
  '/way.js': 'way.js',
  '/charts.js': 'charts.js',
  '/audit.js': 'audit.js',
  '/destinations.js': 'destinations.js',
  '/outages.js': 'outages.js',
  '/subscriptions.js': 'subscriptions.js',
  '/backups.js': 'backups.js',
  '/actions.js': 'actions.js',
  '/refusals.js': 'refusals.js',
  '/tags.js': 'tags.js',
  '/trace.js': 'trace.js',
  '/try.js': 'try.js',
  '/uplot.js': require.resolve('uplot/dist/uPlot.iife.min.js'),
  '/uplot.css': require.resolve('uplot/dist/uPlot.min.css'),
};

/**
 * Only the bridge's own files run and style, and they can ask only this bridge. uPlot styles through the CSSOM, which
 * is allowed.
 */
const SECURITY_POLICY = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self'`,
  `connect-src 'self'`,
  `img-src data:`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/**
 * The status page and its parts, read now, once. Throws the system error when a file of the installation is missing.
 */
export function pageRoutes(): Routes {
  return Object.fromEntries(
    Object.entries(PARTS).map(([path, file]) => {
      const answer: Answer = {
        status: 200,
        contentType: contentTypeOf(file),
        body: readFileSync(resolve(DIRECTORY, file), 'utf8'),
        headers: { 'content-security-policy': SECURITY_POLICY },
      };
      return [path, () => answer];
    }),
  );
}

function contentTypeOf(file: string): string {
  return CONTENT_TYPES[file.slice(file.lastIndexOf('.') + 1) as keyof typeof CONTENT_TYPES];
}
