import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { codeSpans, readPage, ROOT, section } from './pages.ts';

/** An entry for each group of assertions: below it its tests, and what there is to say. */
const ENTRIES = section(readPage('docs/sparkplug.md'), "## The specification's list")
  .split('\n- ')
  .slice(1)
  .map((entry) => {
    const [assertions = '', ...below] = entry.split('\n  - ');
    const tests = below.flatMap((each) => {
      const [, file, title] = /^`(test\/[^`]+)`: (.+)$/.exec(each.trim()) ?? [];
      return file === undefined ? [] : [[file, title!] as const];
    });
    return { assertions, below, tests };
  });

/**
 * What the host tests of the specification's test kit, of release 3.0.0, look at
 * (tck/src/main/java/org/eclipse/sparkplug/tck/test/host), and two on host applications that they do not.
 */
const ASSERTIONS: readonly string[] = [
  'components-ph-state',
  'conformance-primary-host',
  'host-topic-phid-birth-message',
  'host-topic-phid-birth-payload',
  'host-topic-phid-birth-payload-timestamp',
  'host-topic-phid-birth-qos',
  'host-topic-phid-birth-required',
  'host-topic-phid-birth-retain',
  'host-topic-phid-birth-sub-required',
  'host-topic-phid-birth-topic',
  'host-topic-phid-death-payload',
  'host-topic-phid-death-payload-timestamp-connect',
  'host-topic-phid-death-payload-timestamp-disconnect-clean',
  'host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet',
  'host-topic-phid-death-qos',
  'host-topic-phid-death-required',
  'host-topic-phid-death-retain',
  'host-topic-phid-death-topic',
  'intro-sparkplug-host-state',
  'message-flow-hid-sparkplug-state-message-delivered',
  'message-flow-phid-sparkplug-clean-session-311',
  'message-flow-phid-sparkplug-clean-session-50',
  'message-flow-phid-sparkplug-state-publish',
  'message-flow-phid-sparkplug-state-publish-payload',
  'message-flow-phid-sparkplug-state-publish-payload-timestamp',
  'message-flow-phid-sparkplug-subscription',
  'operational-behavior-data-commands-dcmd-metric-name',
  'operational-behavior-data-commands-dcmd-metric-value',
  'operational-behavior-data-commands-dcmd-verb',
  'operational-behavior-data-commands-ncmd-metric-name',
  'operational-behavior-data-commands-ncmd-metric-value',
  'operational-behavior-data-commands-ncmd-rebirth-name',
  'operational-behavior-data-commands-ncmd-rebirth-value',
  'operational-behavior-data-commands-ncmd-rebirth-verb',
  'operational-behavior-data-commands-ncmd-verb',
  'operational-behavior-edge-node-termination-host-action-ddeath-devices-offline',
  'operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale',
  'operational-behavior-edge-node-termination-host-action-ndeath-devices-offline',
  'operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale',
  'operational-behavior-edge-node-termination-host-action-ndeath-node-offline',
  'operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale',
  'operational-behavior-host-application-connect-birth',
  'operational-behavior-host-application-connect-birth-payload',
  'operational-behavior-host-application-connect-birth-qos',
  'operational-behavior-host-application-connect-birth-retained',
  'operational-behavior-host-application-connect-birth-topic',
  'operational-behavior-host-application-connect-will',
  'operational-behavior-host-application-connect-will-payload',
  'operational-behavior-host-application-connect-will-qos',
  'operational-behavior-host-application-connect-will-retained',
  'operational-behavior-host-application-connect-will-topic',
  'operational-behavior-host-application-death-payload',
  'operational-behavior-host-application-death-qos',
  'operational-behavior-host-application-death-retained',
  'operational-behavior-host-application-death-topic',
  'operational-behavior-host-application-disconnect-intentional',
  'operational-behavior-host-application-host-id',
  'operational-behavior-host-application-multi-server-timestamp',
  'operational-behavior-host-application-termination',
  'operational-behavior-host-reordering-param',
  'operational-behavior-host-reordering-rebirth',
  'operational-behavior-host-reordering-start',
  'operational-behavior-host-reordering-success',
  'operational-behavior-primary-application-state-with-multiple-servers-state',
  'operational-behavior-primary-application-state-with-multiple-servers-state-subs',
  'payloads-dcmd-qos',
  'payloads-dcmd-retain',
  'payloads-dcmd-seq',
  'payloads-dcmd-timestamp',
  'payloads-name-cmd-requirement',
  'payloads-ncmd-qos',
  'payloads-ncmd-retain',
  'payloads-ncmd-seq',
  'payloads-ncmd-timestamp',
  'payloads-state-birth',
  'payloads-state-birth-payload',
  'payloads-state-subscribe',
  'payloads-state-will-message',
  'payloads-state-will-message-payload',
  'payloads-state-will-message-qos',
  'payloads-state-will-message-retain',
  'principles-birth-certificates-order',
  'topics-dcmd-mqtt',
  'topics-dcmd-payload',
  'topics-dcmd-timestamp',
  'topics-dcmd-topic',
  'topics-ncmd-mqtt',
  'topics-ncmd-payload',
  'topics-ncmd-timestamp',
  'topics-ncmd-topic',
];

const NAMED = ENTRIES.flatMap(({ tests }) => tests);

describe('the list of the specification in docs/sparkplug.md', () => {
  it('has each assertion on host applications, once', () => {
    const listed = ENTRIES.flatMap(({ assertions }) => codeSpans(assertions));
    expect(listed.toSorted()).toStrictEqual(ASSERTIONS);
  });

  it.each(NAMED)('names a test that is there: %s, %s', (file, title) => {
    const isThere = [`test('${title}'`, `it('${title}'`].some((call) =>
      readFileSync(join(ROOT, file), 'utf8').includes(call),
    );
    expect(isThere).toBe(true);
  });

  it('says why where there is no test', () => {
    const silent = ENTRIES.filter(({ below, tests }) => tests.length === 0 && !/^No test: .{20,}/.test(below.join('')));
    expect(silent.map(({ assertions }) => assertions)).toStrictEqual([]);
    expect(NAMED.length).toBeGreaterThan(0);
  });
});
