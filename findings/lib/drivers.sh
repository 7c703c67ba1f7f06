# Sourced by the scripts about drivers: no database is there, only sockets of a few lines, which tell who called.
# shellcheck shell=bash

ORACLEDB_NODE_VERSION=26.0.0
ORACLEDB_PYTHON_VERSION=26.1.0

node_driver() {
  need node npm
  (cd "$WORK" && npm init -y >/dev/null && npm install --silent --no-audit --no-fund --ignore-scripts "oracledb@$ORACLEDB_NODE_VERSION")
}

python_driver() {
  need python3
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$WORK/site" \
    "oracledb==$ORACLEDB_PYTHON_VERSION" 2>"$WORK/pip.log" || { cat "$WORK/pip.log"; exit 1; }
}

# observe_driver: as observe, with `oracledb`, `WORK` and the listeners of listeners.js.
observe_driver() {
  {
    echo "import { see, verdict } from '$LIB/prelude.js';"
    echo "import { address, calls, listen, python, refusalOf, WORK } from '$LIB/listeners.js';"
    echo "import oracledb from 'oracledb';"
    cat
    echo 'verdict();'
  } >"$WORK/observe.mjs"
  WORK=$WORK node "$WORK/observe.mjs"
}
