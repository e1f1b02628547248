#!/usr/bin/env bash
# Runs one function of the scripts on a stack that is running: `control.sh postgres_down immediate`.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/lib/packages.sh"
. "$ROOT/scripts/lib/servers.sh"
. "$ROOT/scripts/lib/services.sh"

rabbitmq_signal() { kill -s "$1" "$(tr -dc 0-9 <"$DATA/rabbitmq/pid")"; }
rabbitmq_kill() {
  rabbitmq_signal KILL
  wait_until 10 not_running "$(tr -dc 0-9 <"$DATA/rabbitmq/pid")"
  rm -f "$DATA/rabbitmq/pid"
}
# Only the broker: epmd stays, or the next start would not find its port free.
rabbitmq_stop() { end_process "$DATA/rabbitmq/pid" 30; }
postgres_set() { echo "ALTER SYSTEM SET $1 = '$2'" | postgres_sql && echo 'SELECT pg_reload_conf()' | postgres_sql; }
postgres_reset() { echo 'ALTER SYSTEM RESET ALL' | postgres_sql && echo 'SELECT pg_reload_conf()' | postgres_sql; }

redis_kill() {
  local pid
  pid="$(tr -dc 0-9 <"$DATA/redis/pid")"
  kill -KILL "$pid"
  wait_until 10 not_running "$pid"
}
# queue_length <virtual host> <queue>: what is ready and what is being handled.
queue_length() {
  printf 'user = "admin:%s"\n' "$(secret rabbitmq)" |
    curl -fsS -K - "http://127.0.0.1:$RMQ_ADMIN_PORT/api/queues/$1/$2?columns=messages" | tr -dc 0-9
}

# The real services from nothing, all set up and none started.
system_fresh() {
  echo 'DROP DATABASE IF EXISTS bhiv WITH (FORCE)' | postgres_sql
  if rabbitmq_api "vhosts/$VHOST" 2>/dev/null; then rabbitmq_api -X DELETE "vhosts/$VHOST"; fi
  write_environments
  prepare_shared
  setup "${SERVICES[@]}"
}

# Whatever a fault left switched off is on again.
heal() {
  if alive "$DATA/rabbitmq/pid"; then rabbitmq_signal CONT; fi
  servers_up
  postgres_reset
}

"$@"
