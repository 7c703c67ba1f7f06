import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import mqtt, { type MqttClient } from 'mqtt';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Status } from '../../src/ops/status.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { chromiumMissing, openPage, startChromium } from '../support/browser.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const TOKEN = 'a-token-of-the-test';
const TAGS = 40;
const EVERY_MS = 100;
/** A file of an earlier day, which is put there. */
const SEALED = 'rejected_20250101_000000.csv';
const PHONE = { width: 390, height: 844 };

const missing = chromiumMissing ?? mosquittoMissing;

describe.skipIf(missing !== undefined)(
  `the status page in a browser${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let browser: Browser;
    let broker: RunningMosquitto;
    let standin: Standin;
    let bridge: BridgeProcess;
    let publisher: MqttClient;
    let timer: NodeJS.Timeout | undefined;

    beforeAll(async () => {
      browser = await startChromium();
    });

    afterAll(async () => {
      await browser?.close();
    });

    beforeEach(async () => {
      broker = await startMosquitto();
      standin = await startStandin();
      await createTables(standin);
      bridge = await startBridge({});
      await bridge.untilSubscribed();
      publisher = await mqtt.connectAsync(broker.url);
    });

    afterEach(async () => {
      clearInterval(timer);
      for (const context of browser.contexts()) await context.close();
      await publisher.endAsync(true);
      await bridge.dispose();
      standin.stop();
      await broker.stop();
    });

    async function startBridge(more: { directory?: string; port?: number }): Promise<BridgeProcess> {
      const { directory, port = 0 } = more;
      const started = await BridgeProcess.start({
        ...(directory === undefined ? {} : { directory }),
        config: {
          mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
          oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
          writer: { retry: { attempts: 1, initialDelayMs: 50 } },
          backup: { probeIntervalMs: 100 },
          http: { port, token: TOKEN },
        },
      });
      await started.untilStatus('the bridge to be connected', ({ mqtt: { connected } }) => connected);
      return started;
    }

    function url(): string {
      return `${String(bridge.find('bridge started')?.['http'])}/`;
    }

    async function publish(tags: Record<string, unknown>): Promise<void> {
      const payload = { timestamp: new Date().toISOString(), plc_code: 'PLC01', tag_values: tags };
      await publisher.publishAsync('plc/PLC01/tags', JSON.stringify(payload), { qos: 1 });
    }

    /** A plant that goes on publishing until the end of the test. */
    function startPlant(): void {
      let count = 0;
      const tags = (): Record<string, number> =>
        Object.fromEntries(Array.from({ length: TAGS }, (_, i) => [`D${i}`, count + i]));
      timer = setInterval(() => {
        count += 1;
        publish(tags()).catch(() => {}); // the test ends while one is under way
      }, EVERY_MS);
    }

    const received = async (page: Page): Promise<number> =>
      Number((await page.locator('#sum .received b').textContent())?.replaceAll(',', ''));

    it('shows figures that move and a sum that adds up, with nothing asked elsewhere and nothing to complain of', async () => {
      startPlant();
      const { page, complaints } = await openPage(browser, url());
      await page.getByRole('heading', { name: 'All is well.' }).waitFor();
      await page.locator('#stage-table').getByText('taking values').waitFor();
      const first = await received(page);
      await until('more values on the page', async () => (await received(page)) > first);
      await page.getByText('It adds up.').waitFor();
      const terms = await page.locator('#sum b').allTextContents();
      const [sum, ...parts] = terms.map((term) => Number(term.replaceAll(',', '')));
      expect(parts.reduce((total, part) => total + part, 0)).toBe(sum);
      await until('charts with samples', async () => {
        const label = await page.getByRole('img', { name: 'Values a second' }).getAttribute('aria-label');
        return label?.includes('in: last') === true;
      });

      await page.getByLabel('Search').fill('d39');
      await until('one tag found', async () => (await page.locator('#tags tbody tr').count()) === 1);
      expect(await page.locator('#tags tbody tr').textContent()).toContain('PLC01.D39');
      expect(complaints).toEqual([]);
    });

    it('names broker, topics, table and database, and what each subscription has brought', async () => {
      await publish({ D1: 1 });
      const { page } = await openPage(browser, url());
      const where = (stage: string) => page.locator(`#stage-${stage} .where`);
      await where('broker').getByText(broker.url).waitFor();
      await where('table').getByText(`TAG_DATA in ${standin.connectString}`).waitFor();
      const cells = page.locator('#subscriptions tbody tr').first().locator('td');
      await cells.nth(3).getByText('ago').waitFor();
      expect((await cells.allTextContents()).slice(0, 3)).toEqual(['plc/+/tags', '1', '1']);
    });

    it('lists tags with the stale ones first, those of a bad quality alone, and the last hour of one', async () => {
      const old = Date.now() - 7_200_000;
      await publish({ A: 1, M: { value: 2, timestamp: old }, Z: { value: 3, quality: 'BAD' } });
      const { page, complaints } = await openPage(browser, url());
      const names = page.locator('#tags tbody .name');
      await page.locator('#tags').scrollIntoViewIfNeeded();
      const shown = (what: string, expected: string[]) =>
        until(what, async () => JSON.stringify(await names.allTextContents()) === JSON.stringify(expected));
      const [a, m, z] = ['PLC01.A', 'PLC01.M', 'PLC01.Z'] as const;
      await shown('the order of names', [a, m, z]);
      await page.getByLabel('Order', { exact: true }).selectOption('stale ones first');
      await shown('the stale one first', [m, a, z]);
      await page.getByLabel('Age', { exact: true }).selectOption('over an hour');
      await shown('the stale one', [m]);
      await page.getByLabel('Age', { exact: true }).selectOption('any');
      await page.getByLabel('Quality', { exact: true }).selectOption('not GOOD');
      await shown('the bad one', [z]);
      await page.getByRole('button', { name: z }).click();
      const chart = page.getByRole('img', { name: `${z} over the last hour: last 3, between 3 and 3.` });
      await chart.waitFor({ timeout: 30_000 });
      await page.locator('#trace').getByText('not read from Oracle').waitFor();
      await page.locator('#trace').getByRole('button', { name: 'Close' }).click();
      await chart.waitFor({ state: 'hidden' });
      expect(complaints).toEqual([]);
    });

    it('fits a phone with files, refusals and tags', async () => {
      await publish({ long: 'x'.repeat(5000), ['n'.repeat(120)]: 1.234567890123456 });
      await publisher.publishAsync('plc/PLC01/tags', `{"${'y'.repeat(300)}`, { qos: 1 });
      const { page, complaints } = await openPage(browser, url(), PHONE);
      await page.locator('#rejected tbody tr').waitFor();
      await page.locator('#undecodable tbody tr').waitFor();
      await page.locator('#tags').scrollIntoViewIfNeeded();
      await page.locator('#tags tbody tr').nth(1).waitFor();
      await page.locator('#stage-aside').getByText('waits for you').waitFor();
      expect(await page.locator('#stage-aside .figure').textContent()).toBe('1 rejected row');
      expect(await page.locator('#stage-aside .more').textContent()).toBe('1 undecodable message');
      await until('both files', async () => (await page.locator('#backups tbody tr').count()) === 2);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width);
      expect(complaints).toEqual([]);
    });

    it('tells of an outage with what to do and its backup, and of the replay to its end', async () => {
      startPlant();
      const { page, complaints } = await openPage(browser, url());
      await page.getByRole('heading', { name: 'All is well.' }).waitFor();
      standin.close();
      standin.kill();
      await bridge.untilStatus(
        'the outage',
        ({ oracle, backups }) => oracle.state === 'down' && backups.pendingRows > 0,
      );
      const soon = { timeout: 5000 };
      await page.locator('#stage-table').getByText(/^down/).waitFor(soon);
      await page.locator('#advice .problem', { hasText: 'Oracle is down' }).waitFor(soon);
      await page.locator('#advice .remedy', { hasText: 'listener' }).waitFor(soon);
      await page.locator('#backups tbody tr', { hasText: /^backup_/ }).waitFor(soon);
      const outage = page.locator('#outages tbody tr', { hasText: 'Oracle' });
      await outage.getByText('lasts').waitFor(soon);
      expect(await page.locator('#stage-table').getAttribute('data-tone')).toBe('trouble');
      expect(await page.locator('#announcer').textContent()).toContain('Oracle is down');

      await standin.open();
      await page.getByRole('heading', { name: 'All is well.' }).waitFor();
      expect(await page.locator('#backups tbody tr').count()).toBe(0);
      await outage.getByText('lasts').waitFor({ state: 'detached' });
      expect(Number((await outage.locator('td').nth(3).textContent())?.replaceAll(',', ''))).toBeGreaterThan(0);
      const [backedUp, replayed] = /Of ([\d,]+) backed up, ([\d,]+)/
        .exec((await page.locator('#audit .note').textContent()) ?? '')!
        .slice(1);
      expect(replayed).toBe(backedUp);
      expect(complaints).toEqual([]);
    });

    it('tells of a disk that is nearly full, and that it is the disk by which the journal is full', async () => {
      const status = await bridge.status();
      const page = await (await browser.newContext()).newPage();
      const show = async (changes: Partial<Status>): Promise<void> => {
        const body = JSON.stringify({ ...status, ...changes });
        await page.unrouteAll();
        await page.route('**/api/events', (route) =>
          route.fulfill({ contentType: 'text/event-stream', body: `event: status\ndata: ${body}\n\n` }),
        );
        await page.route('**/api/status', (route) => route.fulfill({ contentType: 'application/json', body }));
        await page.goto(url());
      };
      const directories = ['journal.dir', 'backup.dir'] as const;
      const disk = { directories, totalBytes: 8 * 2 ** 20 };
      await show({ disks: [{ ...disk, freeBytes: 2 ** 20, state: 'low', fullInSeconds: 12_000 }] });
      await page.locator('#stage-journal').getByText('disk nearly full').waitFor();
      await page.locator('#stage-journal').getByText('1 MiB free on disk, full in 3 h 20 min').waitFor();
      await page.locator('#stage-backup').getByText('1 MiB free on disk, full in 3 h 20 min').waitFor();
      await show({ journal: { ...status.journal, fullInSeconds: 2400 } });
      await page.locator('#stage-journal').getByText('full in 40 min').waitFor();
      await show({
        journal: { ...status.journal, state: 'full', fullBy: 'disk' },
        disks: [{ ...disk, freeBytes: 4096, state: 'full' }],
      });
      await page.locator('#stage-journal').getByText('disk full').waitFor();
      await page.locator('#stage-backup').getByText('disk full').waitFor();
      expect(await page.locator('#stage-journal .figure').textContent()).toBe('4 KiB free of 8 MiB');
      await show({ journal: { ...status.journal, bytes: 2 ** 20, state: 'full', fullBy: 'disk' } });
      await page.locator('#stage-journal').getByText('disk full').waitFor();
      expect(await page.locator('#stage-journal .figure').textContent()).toBe('1 MiB in the journal');
    });

    it('downloads, and replays and discards with the token only and after a question', async () => {
      await publish({ long: 'x'.repeat(5000), short: 1 });
      const { page } = await openPage(browser, url());
      const rows = page.locator('#backups tbody tr');
      const sealed = rows.filter({ hasText: SEALED });
      const open = rows.filter({ hasNotText: SEALED });
      const message = page.locator('#action-message');
      const replay = open.getByRole('button', { name: 'Replay' });

      const downloading = page.waitForEvent('download');
      await open.getByRole('link').click();
      const csv = await readFile(await (await downloading).path(), 'utf8');
      expect(csv).toContain('TEXT_TOO_LONG');
      await writeFile(join(bridge.directory, 'backup', SEALED), csv);

      await replay.click();
      await message.getByText('Enter the token first').waitFor();
      await page.keyboard.type('wrong');
      await replay.click();
      await message.getByText('the token is wrong').waitFor();
      await page.getByLabel('Token for replay and discard').fill(TOKEN);
      await replay.click();
      await message.getByText('Replayed').waitFor(); // its row was refused again, into a new file

      await open.getByRole('button', { name: 'Discard' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
      await message.getByText(/^Discarded/).waitFor();
      await open.waitFor({ state: 'detached' });
      await sealed.getByRole('button', { name: 'Discard' }).click();
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Enter'); // on “Keep it”
      await message.getByText('Kept').waitFor();
      expect(await sealed.count()).toBe(1);
      await sealed.getByRole('button', { name: 'Discard' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
      await message.getByText(/^Discarded/).waitFor();
      await sealed.waitFor({ state: 'detached' });
    });

    it('says when the bridge is gone, of when its figures are, and recovers by itself', async () => {
      await publish({ D1: 1 });
      const { page } = await openPage(browser, url());
      await page.getByRole('heading', { name: 'All is well.' }).waitFor();
      const { directory } = bridge;
      const port = Number(new URL(url()).port);
      await bridge.end('SIGKILL');
      await page.getByRole('heading', { name: /^Bridge not reachable since \S+, figures are of \S+\.$/ }).waitFor();
      expect(await page.locator('#announcer').textContent()).toContain('Bridge not reachable');
      bridge = await startBridge({ directory, port });
      await page.getByRole('heading', { name: 'All is well.' }).waitFor();
      await page.locator('header .link').getByText('live').waitFor();
    });
  },
);
