#!/usr/bin/env bash
# node-oracledb 26.0.0 (npm) and python-oracledb 26.1.0 (PyPI): `host1,host2/service` is shuffled by the one and walked in order by the other.
#
# Behaviour: with commas node-oracledb calls the addresses in another order each time; with semicolons, with `?load_balance=off` and in a connect
# descriptor it keeps them. python-oracledb, of the same maker, keeps the order of the same text.
# One would guess: that `primary,standby` is tried from left to right, and that one text means one thing to two drivers of one maker. The code of the
# first puts LOAD_BALANCE=ON before addresses between commas (ezConnectResolver).
# For users: where the order matters (the standby is slow to answer, or far away), write `?load_balance=off`, semicolons, or a descriptor.
source "$(dirname "$0")/lib/setup.sh"
source "$LIB/drivers.sh"
node_driver
python_driver
echo "node-oracledb $ORACLEDB_NODE_VERSION, python-oracledb $ORACLEDB_PYTHON_VERSION"
observe_driver <<'JS'
const [a, b] = [await listen('A'), await listen('B')];
const host = '127.0.0.1';
const forms = [
  ['commas', `${host}:${a},${host}:${b}/service`],
  ['semicolons', `${host}:${a};${host}:${b}/service`],
  ['?load_balance=off', `${host}:${a},${host}:${b}/service?load_balance=off`],
  ['a descriptor', `(DESCRIPTION=(ADDRESS_LIST=${address(a)}${address(b)})(CONNECT_DATA=(SERVICE_NAME=service)))`],
];
for (const [form, connectString] of forms) {
  const orders = { 'A B': 0, 'B A': 0 };
  for (let i = 0; i < 40; i += 1) orders[(await refusalOf(oracledb, { connectString })).called] += 1;
  const isKept = orders['B A'] === 0;
  see(`node-oracledb, ${form}: ${orders['A B']} times A before B, ${orders['B A']} times B before A`, isKept === (form !== 'commas'));
}
let kept = 0;
for (let i = 0; i < 10; i += 1) if ((await python(forms[0][1])).called === 'A B') kept += 1;
see(`python-oracledb, commas: ${kept} of 10 times A before B`, kept === 10);
JS
