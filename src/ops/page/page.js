// @ts-check
import { startActions } from './actions.js';
import { showAudit } from './audit.js';
import { showFiles, showProgress } from './backups.js';
import { addSample, showHistory } from './charts.js';
import { showDestinations } from './destinations.js';
import { fill } from './dom.js';
import { duration, time } from './format.js';
import { ask, Live } from './live.js';
import { showOutages } from './outages.js';
import { forgetRefusals, refreshRefusals } from './refusals.js';
import { startTags } from './tags.js';
import { startTry } from './try.js';
import { showLink, showVerdict } from './verdict.js';
import { showWay } from './way.js';

/** @param {import('./live.js').Status} status */
function showStatus(status) {
  fill('bridge', status.bridgeId);
  const protocol = status.mqtt.protocolVersion === 5 ? '5' : '3.1.1';
  fill(
    'about',
    `mqtt-oracle-bridge ${status.version} · MQTT ${protocol} · running for ${duration(status.uptimeSeconds)}`,
  );
  showVerdict(status, showWay(status));
  showDestinations(status);
  showAudit(status);
  showOutages(status);
  fill('silent', silentText(status));
  showProgress(status);
  void refreshRefusals(status);
}

/** @param {import('./live.js').Status} status */
function silentText({ mqtt: { silentSubscriptions } }) {
  if (silentSubscriptions.length === 0) return '';
  const named = silentSubscriptions
    .slice(0, 10)
    .map(({ since, topic }) => `${topic} (since ${time(Date.parse(since))})`);
  const more =
    silentSubscriptions.length > named.length ? ` and ${silentSubscriptions.length - named.length} more` : '';
  return `No message yet from ${named.join(', ')}${more}.`;
}

async function fetchHistory() {
  try {
    showHistory(await ask('api/history'));
  } catch {
    // The charts stay as they are until the bridge is there again.
  }
}

startActions();
startTags();
startTry();
new Live({
  status: showStatus,
  backups: (files) => showFiles(/** @type {any} */ (files)),
  sample: addSample,
  link: showLink,
  opened: () => {
    forgetRefusals();
    void fetchHistory();
  },
}).start();
