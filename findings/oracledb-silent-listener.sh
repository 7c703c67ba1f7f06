#!/usr/bin/env bash
# node-oracledb 26.0.0 (npm): a listener that takes the call and says nothing holds a log-on for ever, and the next address is not tried.
#
# Behaviour: of two addresses the first accepts TCP and then is silent (a frozen host, a firewall that answers by itself, a listener that is out of processes).
# Without a setting, and with TRANSPORT_CONNECT_TIMEOUT, the second one is not called within 25 seconds, nor within 70. With connectTimeout, or
# CONNECT_TIMEOUT in the descriptor, it is.
# One would guess: that the time-out that is on by itself (20 s, TRANSPORT_CONNECT_TIMEOUT) covers it, and that the list is there for this case. That one
# ends with TCP's handshake, and nothing waits with a limit for the answer to CONNECT (the driver's networkSession, sessionAtts).
# For users: set connectTimeout; without one a standby in the list is no help against a primary that hangs.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/drivers.sh"
node_driver
echo "node-oracledb $ORACLEDB_NODE_VERSION"
observe_driver <<'JS'
const { setTimeout: wait } = await import('node:timers/promises');
const [silent, alive] = [await listen('silent', false), await listen('alive')];
const list = `(ADDRESS_LIST=${address(silent)}${address(alive)})(CONNECT_DATA=(SERVICE_NAME=service))`;
const plain = `(DESCRIPTION=${list})`;
for (const [what, attributes, goesOn] of [
  ['connectTimeout: 2', { connectString: plain, connectTimeout: 2 }, true],
  ['(CONNECT_TIMEOUT=2)', { connectString: `(DESCRIPTION=(CONNECT_TIMEOUT=2)${list})` }, true],
  ['(TRANSPORT_CONNECT_TIMEOUT=2)', { connectString: `(DESCRIPTION=(TRANSPORT_CONNECT_TIMEOUT=2)${list})` }, false],
  ['no setting', { connectString: plain }, false],
]) {
  await Promise.race([refusalOf(oracledb, attributes), wait(what === 'no setting' ? 25_000 : 10_000)]);
  const isCalled = calls.includes('alive');
  see(`${what}: ${isCalled ? 'the second address is called' : 'still waiting for the first'}`, isCalled === goesOn);
}
JS
