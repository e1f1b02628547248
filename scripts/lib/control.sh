#!/usr/bin/env bash
# Runs one function of the scripts on a stack that is running: `control.sh postgres_down immediate`.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/lib/packages.sh"
. "$ROOT/scripts/lib/servers.sh"
. "$ROOT/scripts/lib/cluster.sh"
. "$ROOT/scripts/lib/services.sh"
. "$ROOT/scripts/lib/front.sh"
. "$ROOT/scripts/lib/backup.sh"
. "$ROOT/scripts/lib/standby.sh"

# RabbitMQ 3.10 writes which files belong to a quorum queue half a second after that last changed. A queue that was declared
# just before its node is killed does not start again, and refuses every message.
rabbitmq_settle() { rabbitmqctl_here eval '[ok = dets:sync(Table) || Table <- dets:all()].' >/dev/null; }
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
redis_signal() { kill -s "$1" "$(tr -dc 0-9 <"$DATA/redis/pid")"; }
redis_command() { REDISCLI_AUTH="$(secret redis)" redis-cli -p "$REDIS_PORT" "$@" >/dev/null; }

# A tablespace on a disk of 48 MB, which root alone can mount.
SMALL="$DATA/small"
small_disk_up() {
  [ "$(id -u)" = 0 ] || { echo "only root can mount one" >&2; return 1; }
  mkdir -p "$SMALL"
  mount -t tmpfs -o size=48m tmpfs "$SMALL"
  chown postgres "$SMALL"
  echo "CREATE TABLESPACE small LOCATION '$SMALL'" | postgres_sql
}
# dd ends with an error when the disk is full: that is what it is for.
small_disk_fill() { dd if=/dev/zero of="$SMALL/filler" bs=64k 2>/dev/null || true; }
small_disk_free() { rm -f "$SMALL/filler"; }
small_disk_down() {
  mountpoint -q "$SMALL" || return 0
  small_disk_free
  echo 'DROP SCHEMA IF EXISTS crm, task CASCADE' | postgres_sql chaos
  echo 'DROP TABLESPACE IF EXISTS small' | postgres_sql
  umount "$SMALL"
}
# queue_length <virtual host> <queue>: what is ready and what is being handled.
queue_length() { rabbitmq_ask "queues/$1/$2?columns=messages" | tr -dc 0-9; }

# Only the servers are left, empty.
destroy_everything() {
  forget_everything
  rm -rf "$RUN/keys" "$RUN/env" "$RUN/secrets/admin"
}

# What clients of the front need: where it is, and what they trust.
front_url() { echo "https://127.0.0.1:$FRONT_PORT"; }
front_certificate() { cat "$FRONT/certificate.pem"; }

# The real services from nothing, all set up and none started.
system_fresh() {
  echo 'DROP DATABASE IF EXISTS bhiv WITH (FORCE)' | postgres_sql
  remove_vhost "$VHOST"
  write_environments
  prepare_shared
  setup "${SERVICES[@]}"
}

# Whatever a fault left switched off is on again.
heal() {
  front_down
  standby_down
  if alive "$DATA/rabbitmq/pid"; then rabbitmq_signal CONT; fi
  cluster_continue
  if alive "$DATA/redis/pid"; then redis_signal CONT; fi
  servers_up
  postgres_reset
  small_disk_down
}

"$@"
