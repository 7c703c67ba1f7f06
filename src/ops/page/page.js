// @ts-check
import { startActions } from './actions.js';
import { showAudit } from './audit.js';
import { showFiles, showProgress } from './backups.js';
import { addSample, showHistory } from './charts.js';
import { showDestinations } from './destinations.js';
import { fill } from './dom.js';
import { duration } from './format.js';
import { ask, Live } from './live.js';
import { showOutages } from './outages.js';
import { forgetRefusals, refreshRefusals } from './refusals.js';
import { showSubscriptions } from './subscriptions.js';
import { startTags } from './tags.js';
import { startTrace } from './trace.js';
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
  showSubscriptions(status);
  showProgress(status);
  void refreshRefusals(status);
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
startTrace();
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
