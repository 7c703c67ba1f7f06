import { existsSync } from 'node:fs';

import { chromium, type Browser, type Page } from 'playwright-core';

const BINARY = [process.env['BRIDGE_TEST_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser']
  .filter((path) => path !== undefined)
  .find((path) => existsSync(path));

/** Why tests with a browser are to be skipped. In CI they never are: they fail where it is missing. */
export const chromiumMissing =
  BINARY === undefined && process.env['CI'] === undefined
    ? 'chromium is not installed (BRIDGE_TEST_CHROMIUM may name it)'
    : undefined;

export function startChromium(): Promise<Browser> {
  if (BINARY === undefined) throw new Error('chromium is not installed');
  return chromium.launch({ executablePath: BINARY, args: ['--no-sandbox'] }); // as root it has no sandbox
}

export interface WatchedPage {
  readonly page: Page;
  /** What the browser complains of, and requests to other hosts than the page's. */
  readonly complaints: string[];
}

/** Opens the page in a window of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  viewport = { width: 1280, height: 900 },
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport, acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== 'data:' && asked.host !== new URL(url).host) complaints.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}
