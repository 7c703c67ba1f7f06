import mqtt from 'mqtt';
import { expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { chromiumMissing, openPage, startChromium } from '../support/browser.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { startStandin } from '../support/standin/standin.ts';
import { createTables, TABLE_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const PHONE = { width: 380, height: 844 };
const missing = chromiumMissing ?? mosquittoMissing;

it.skipIf(missing !== undefined)(
  `the page lists destinations, of which one is down${missing === undefined ? '' : ` (${missing})`}`,
  async () => {
    const [browser, broker, standin] = await Promise.all([startChromium(), startMosquitto(), startStandin()]);
    await createTables(standin);
    const bridge = await BridgeProcess.start({
      config: {
        mqtt: {
          url: broker.url,
          subscriptions: [
            { topic: 'plc/+/tags', format: 'polling' },
            { topic: 'alarms/+', format: 'polling', plcCode: '{2}', to: 'alarms' },
          ],
        },
        oracle: {
          connectString: standin.connectString,
          user: 'bridge',
          password: 'secret',
          ...TABLE_OPTIONS,
          destinations: { alarms: { table: 'ALARM_LOG' } },
        },
        writer: { retry: { attempts: 1, initialDelayMs: 50 } },
        backup: { probeIntervalMs: 100 },
      },
    });
    try {
      await bridge.untilStatus('the bridge to be connected', ({ mqtt: { connected } }) => connected);
      await bridge.untilSubscribed();
      const publisher = await mqtt.connectAsync(broker.url);
      const payload = JSON.stringify({
        timestamp: '2025-11-02T14:30:25.123Z',
        plc_code: 'P',
        tag_values: { A: 1, B: 2 },
      });
      await publisher.publishAsync('plc/P/tags', payload, { qos: 1 });
      await publisher.publishAsync('alarms/P', payload, { qos: 1 });
      await publisher.endAsync();
      const { page, complaints } = await openPage(browser, `${String(bridge.find('bridge started')?.['http'])}/`);
      const rows = page.locator('#destinations tbody tr');
      await rows.nth(1).getByText(/^down/).waitFor();
      await rows.nth(0).getByText('taking values').waitFor();
      await until('the backup', async () => ((await rows.nth(1).textContent()) ?? '').includes('1 file'));
      expect(await rows.nth(1).textContent()).toMatch(/^alarmsALARM_LOG.*ORA-00942/s);
      await page.getByText('The destination alarms (table ALARM_LOG) is down').first().waitFor();
      const status = await bridge.untilStatus('two values written', ({ counters }) => counters.valuesWritten === 2);
      expect(status.destinations).toMatchObject([
        {
          name: 'default',
          state: 'connected',
          counters: { valuesReceived: 2, valuesWritten: 2 },
          audit: { balanced: true },
        },
        {
          name: 'alarms',
          table: 'ALARM_LOG',
          state: 'down',
          counters: { valuesReceived: 2, valuesBackedUp: 2 },
          backups: { pendingFiles: 1, pendingRows: 2 },
          audit: { balanced: true, pending: 0 },
        },
      ]);
      expect(status).toMatchObject({ oracle: { state: 'down' }, audit: { balanced: true } });
      await page.setViewportSize(PHONE);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await bridge.dispose();
      standin.stop();
      await broker.stop();
    }
  },
);
