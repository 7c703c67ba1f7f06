#!/usr/bin/env bash
# node-oracledb 26.0.0 (npm) and python-oracledb 26.1.0 (PyPI): a parenthesis that is missing in somebody else's entry of tnsnames.ora.
#
# Behaviour: PLANT is right, OTHER lacks its last parenthesis. node-oracledb refuses PLANT with "NJS-514: syntax error in connection string", wherever OTHER
# stands, and names neither file, entry nor line. python-oracledb finds PLANT when OTHER stands behind it, and says that there is no such name when it
# stands before.
# One would guess: that an entry is judged when it is used; or at least that the message is about the file.
# For users: NJS-514 for a plain alias means: look at every entry of tnsnames.ora. Keep a file of one's own (configDir, TNS_ADMIN), or use a descriptor.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/drivers.sh"
node_driver
python_driver
echo "node-oracledb $ORACLEDB_NODE_VERSION, python-oracledb $ORACLEDB_PYTHON_VERSION"
observe_driver <<'JS'
const { mkdirSync, writeFileSync } = await import('node:fs');
const port = await listen('plant');
const entry = (name, ports) => `${name} = (DESCRIPTION=${address(ports)}(CONNECT_DATA=(SERVICE_NAME=service)))\n`;
const plant = entry('PLANT', port);
const whole = entry('OTHER', 1);
const typo = whole.replace('))\n', ')\n');
for (const [what, text, node, byPython] of [
  ['no typo', plant + whole, 'plant', 'plant'],
  ['OTHER behind PLANT', plant + typo, '', 'plant'],
  ['OTHER before PLANT', typo + plant, '', ''],
]) {
  const configDir = `${WORK}/${what.replaceAll(' ', '-')}`;
  mkdirSync(configDir);
  writeFileSync(`${configDir}/tnsnames.ora`, text);
  const one = await refusalOf(oracledb, { connectString: 'PLANT', configDir });
  const isSyntax = /^NJS-514: syntax error in connection string$/.test(one.text);
  see(`node-oracledb, ${what}: ${one.called === '' ? one.text : 'reached'}`, one.called === node && isSyntax === (node === ''));
  const two = await python('PLANT', configDir);
  const isUnknown = two.text.startsWith('DPY-4000: unable to find "PLANT"');
  see(`python-oracledb, ${what}: ${two.called === '' ? two.text.replace(WORK, '…') : 'reached'}`, two.called === byPython && isUnknown === (byPython === ''));
}
JS
