# Sourced by each script: a temporary folder, processes that end with the script, ports, and the verdict.
# shellcheck shell=bash
set -euo pipefail

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$(mktemp -d)
STARTED=()

clean_up() {
  local group
  for group in "${STARTED[@]}"; do kill -TERM -- "-$group" 2>/dev/null || true; done
  for group in "${STARTED[@]}"; do
    for _ in $(seq 50); do kill -0 -- "-$group" 2>/dev/null || break; sleep 0.1; done
    kill -KILL -- "-$group" 2>/dev/null || true
  done
  # Erlang's, which makes itself a daemon.
  if [ -n "${EPMD_PORT:-}" ]; then epmd -port "$EPMD_PORT" -kill >/dev/null 2>&1 || true; fi
  rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Says why and ends with 77, the customary code of a test that was skipped.
skip() {
  echo "skipped: $1"
  exit 77
}

need() {
  local command
  for command in "$@"; do command -v "$command" >/dev/null || skip "$command is not installed"; done
}

free_port() {
  node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); });'
}

# A process group of its own, with its output in $WORK/broker.log.
start() {
  setsid nice "$@" >"$WORK/broker.log" 2>&1 &
  STARTED+=("$!")
}

# wait_for_port PORT: until something listens there.
wait_for_port() {
  for _ in $(seq 900); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
    kill -0 "${STARTED[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  echo 'the broker does not listen:'
  tail -n 20 "$WORK/broker.log"
  exit 1
}

# observe PORT: runs the JavaScript on standard input, which has what prelude.js exports. It prints what was seen, and ends with 1 when that is no
# longer what the head of the script says.
observe() {
  {
    echo "import { RawClient, until, untilQuiet, port, see, verdict } from '$LIB/prelude.js';"
    cat
    echo 'verdict();'
  } >"$WORK/observe.mjs"
  PORT=$1 node "$WORK/observe.mjs"
}

# maven NAME VERSION [MORE]: the package and what it needs, into $WORK/lib.
maven() {
  need java javac mvn
  local group=${1%:*} artifact=${1#*:}
  cat >"$WORK/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$2</version>${3:-}</dependency></dependencies>
</project>
XML
  (cd "$WORK" && nice mvn -B -q dependency:copy-dependencies -DoutputDirectory=lib)
}
