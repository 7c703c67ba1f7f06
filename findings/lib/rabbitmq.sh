# Sourced after setup.sh: start_rabbitmq PORT, with Debian's package, all files in $WORK.
# shellcheck shell=bash
start_rabbitmq() {
  # The package's own script; `rabbitmq-server` in the path changes to another user.
  local script=/usr/lib/rabbitmq/bin/rabbitmq-server epmd
  [ -x "$script" ] || skip 'rabbitmq-server is not installed'
  epmd=$(free_port)
  mkdir -p "$WORK/mnesia"
  printf '%s\n' "mqtt.listeners.tcp.1 = 127.0.0.1:$1" 'mqtt.allow_anonymous = true' 'loopback_users = none' 'listeners.tcp = none' \
    'log.console = true' 'log.console.level = warning' >"$WORK/rabbitmq.conf"
  echo '[rabbitmq_mqtt].' >"$WORK/enabled_plugins"
  start env HOME="$WORK" RABBITMQ_BASE="$WORK" RABBITMQ_CONFIG_FILE="$WORK/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$WORK/enabled_plugins" \
    RABBITMQ_MNESIA_BASE="$WORK/mnesia" RABBITMQ_LOG_BASE="$WORK/log" RABBITMQ_NODENAME="finding$1@localhost" \
    RABBITMQ_DIST_PORT="$(free_port)" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1 RUNNING_UNDER_SYSTEMD=yes "$script"
  # shellcheck disable=SC2034 # clean_up ends it: it refuses while it knows a node
  EPMD_PORT=$epmd
  wait_for_port "$1"
  echo "RabbitMQ $(basename /usr/lib/rabbitmq/lib/rabbitmq_server-* | sed 's/.*-//')"
}
