# Private PostgreSQL, RabbitMQ and Redis on loopback, none of them Debian's own service. Sourced, never run.

# The servers run under accounts of their own when we are root, and those cannot look into a home directory.
# Then the data lives in /var/tmp, and .run/data points there.
DATA="$RUN/data"
prepare_data() {
  mkdir -p "$RUN"
  [ -e "$DATA" ] && return 0
  if [ "$(id -u)" != 0 ] || as postgres test -x "$RUN"; then
    mkdir -p "$DATA"
  else
    local elsewhere
    elsewhere="/var/tmp/bhiv-$(printf %s "$RUN" | cksum | cut -d ' ' -f 1)"
    mkdir -p "$elsewhere"
    ln -sfn "$elsewhere" "$DATA"
  fi
  chmod 755 "$DATA/"
}

# own <account> <folder>
own() {
  mkdir -p "$2"
  if [ "$(id -u)" = 0 ]; then chown -R "$1:$1" "$2"; fi
}

servers_up() {
  prepare_data
  local started=$SECONDS pids=() name
  for name in postgres redis rabbitmq; do
    (
      "${name}_up"
      say "$name ready"
    ) &
    pids+=($!)
  done
  local pid result=0
  for pid in "${pids[@]}"; do wait "$pid" || result=1; done
  [ $result = 0 ] || fail "a server did not start; see the lines above and $DATA/*/log"
  say "servers ready after $((SECONDS - started)) s"
}

servers_down() {
  [ -e "$DATA" ] || return 0
  redis_down
  rabbitmq_down
  postgres_down
}

# ---- PostgreSQL

postgres_up() {
  local home="$DATA/postgres" password
  password="$(secret postgres)"
  if [ ! -s "$home/data/PG_VERSION" ]; then
    own postgres "$home"
    printf '%s' "$password" >"$home/password"
    own postgres "$home"
    as postgres "$PG_BIN/initdb" -D "$home/data" -U postgres -A scram-sha-256 --pwfile="$home/password" \
      -E UTF8 --locale=C.UTF-8 --no-instructions -N >"$home/initdb.log" 2>&1 || { cat "$home/initdb.log" >&2; return 1; }
    rm -f "$home/password"
    cat >>"$home/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $PG_PORT
unix_socket_directories = ''
max_connections = 300
shared_buffers = 256MB
max_wal_size = 2GB
wal_compression = on
random_page_cost = 1.1
idle_in_transaction_session_timeout = '60s'
CONF
  fi
  if ! as postgres "$PG_BIN/pg_ctl" -D "$home/data" status >/dev/null 2>&1; then
    as postgres "$PG_BIN/pg_ctl" -D "$home/data" -l "$home/log" -w -t 60 start >/dev/null || { tail -n 20 "$home/log" >&2; return 1; }
  fi
}

postgres_down() {
  local home="$DATA/postgres"
  [ -s "$home/data/PG_VERSION" ] || return 0
  as postgres "$PG_BIN/pg_ctl" -D "$home/data" -m "${1:-fast}" -w stop >/dev/null 2>&1 || true
}

# ---- Redis

redis_ping() { REDISCLI_AUTH="$(secret redis)" redis-cli -p "$REDIS_PORT" ping 2>/dev/null | grep -q PONG; }

redis_up() {
  redis_ping && return 0
  local home="$DATA/redis"
  own redis "$home"
  # The password goes in by standard input: an argument would be visible to every user of the machine.
  printf 'requirepass %s\nport %s\nbind 127.0.0.1\ndir %s\npidfile %s/pid\nlogfile %s/log\ndaemonize yes\nappendonly no\nsave ""\n' \
    "$(secret redis)" "$REDIS_PORT" "$home" "$home" "$home" | as redis redis-server - >/dev/null
  wait_until 15 redis_ping || { tail -n 20 "$home/log" >&2; return 1; }
}

redis_down() { end_process "$DATA/redis/pid" 10; }

# ---- RabbitMQ

# What distinguishes one node from another, beside its ports; cluster.sh has nodes of its own.
RMQ_HOME="$DATA/rabbitmq"
RMQ_NAME="bhiv$BASE@localhost"
RMQ_CONF=''          # more lines of rabbitmq.conf
RMQ_ADVANCED='[].'   # advanced.config

# Everything that RabbitMQ would otherwise look for in the system's own places. Run in a subshell.
rabbitmq_environment() {
  local home="$RMQ_HOME"
  export HOME="$home" LANG=C.UTF-8 LC_ALL=C.UTF-8
  export ERL_EPMD_PORT=$EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_NODENAME="$RMQ_NAME" RABBITMQ_NODE_PORT=$AMQP_PORT RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
  export RABBITMQ_DIST_PORT=$RMQ_DIST_PORT RABBITMQ_CONF_ENV_FILE=/dev/null
  export RABBITMQ_MNESIA_BASE="$home/mnesia" RABBITMQ_LOG_BASE="$home/log" RABBITMQ_PID_FILE="$home/pid"
  export RABBITMQ_CONFIG_FILE="$home/rabbitmq" RABBITMQ_ADVANCED_CONFIG_FILE="$home/advanced.config"
  export RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins" RABBITMQ_GENERATED_CONFIG_DIR="$home/generated"
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
  export RABBITMQ_CTL_DIST_PORT_MIN=$((BASE + 20)) RABBITMQ_CTL_DIST_PORT_MAX=$((BASE + 30))
  export ERL_CRASH_DUMP="$home/log/erl_crash.dump"
}

rabbitmq_ready() {
  printf 'user = "admin:%s"\n' "$(secret rabbitmq)" |
    curl -fsS -m 10 -K - "http://127.0.0.1:$RMQ_ADMIN_PORT/api/health/checks/virtual-hosts" >/dev/null 2>&1
}

rabbitmq_up() (
  rabbitmq_ready && return 0
  home="$RMQ_HOME"
  password="$(secret rabbitmq)"
  mkdir -p "$home"/{mnesia,log,generated}
  [ -s "$home/.erlang.cookie" ] || secret erlang >"$home/.erlang.cookie"
  echo '[rabbitmq_management,rabbitmq_prometheus].' >"$home/enabled_plugins"
  echo "$RMQ_ADVANCED" >"$home/advanced.config"
  cat >"$home/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$AMQP_PORT
management.tcp.ip = 127.0.0.1
management.tcp.port = $RMQ_ADMIN_PORT
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = $RMQ_PROM_PORT
default_user = admin
default_pass = $password
disk_free_limit.absolute = 200MB
log.console = false
log.file.level = info
$RMQ_CONF
CONF
  chmod 400 "$home/.erlang.cookie"
  chmod 640 "$home/rabbitmq.conf"
  own rabbitmq "$home"
  rabbitmq_environment
  cd "$home"
  # An epmd of our own: the broker would start one that outlives it.
  if ! alive "$DATA/rabbitmq/epmd.pid"; then
    exec_as rabbitmq epmd -port "$EPMD_PORT" -address 127.0.0.1 -relaxed_command_check >/dev/null 2>&1 </dev/null &
    echo $! >"$DATA/rabbitmq/epmd.pid"
  fi
  if ! alive "$home/pid"; then
    rm -f "$home/pid"
    # Not /usr/sbin/rabbitmq-server: Debian's wrapper changes user and drops our environment.
    exec_as rabbitmq setsid "$RMQ_BIN/rabbitmq-server" >"$home/log/boot.log" 2>&1 </dev/null &
  fi
  wait_until 90 rabbitmq_ready || { tail -n 20 "$home"/log/*.log >&2; return 1; }
)

rabbitmq_down() {
  end_process "$DATA/rabbitmq/pid" 30
  end_process "$DATA/rabbitmq/epmd.pid" 5
}

rabbitmq_signal() { kill -s "$1" "$(tr -dc 0-9 <"$RMQ_HOME/pid")"; }

# Where the broker's account may look around, or Erlang fills the answer with complaints.
rabbitmqctl_here() ( cd "$RMQ_HOME" && rabbitmq_environment && as rabbitmq "$RMQ_BIN/rabbitmqctl" "$@" )

# ---- Talking to them as an administrator

# postgres_sql [database]: runs the SQL of standard input.
postgres_sql() {
  PGPASSWORD="$(secret postgres)" psql -qAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U postgres -d "${1:-postgres}" >/dev/null
}

# rabbitmq_ask <curl options> <path below /api>
rabbitmq_ask() {
  local path="${*: -1}"
  printf 'user = "admin:%s"\n' "$(secret rabbitmq)" |
    curl -fsS -K - -H 'content-type: application/json' "${@:1:$#-1}" "http://127.0.0.1:$RMQ_ADMIN_PORT/api/$path"
}
# The same without the answer.
rabbitmq_api() { rabbitmq_ask "$@" >/dev/null; }
# rabbitmq_names <path below /api>: one a line.
rabbitmq_names() { rabbitmq_ask "$1?columns=name" | { grep -oE '"name":"[^"]*"' || true; } | cut -d '"' -f 4; }

# remove_vhost <name>: its policies first. While the policy holds, each queue has a worker for dead letters, and RabbitMQ
# 3.10 cannot bear that a queue goes before its worker has begun, as happens shortly after the start of the broker: see
# dead_letters_up. Without the policy there is no worker.
remove_vhost() {
  local vhosts policy
  vhosts="$(rabbitmq_names vhosts)"
  grep -Fqx "$1" <<<"$vhosts" || return 0
  for policy in $(rabbitmq_names "policies/$1"); do
    rabbitmq_api -X DELETE "policies/$1/$policy"
  done
  rabbitmq_api -X DELETE "vhosts/$1"
}

# When two workers for dead letters crash within 5 s, RabbitMQ 3.10 ends their supervisor for good, and refuses every
# queue whose policy asks for one until it is started again.
dead_letters_up() {
  local ended
  ended="$(rabbitmqctl_here eval 'lists:keymember(rabbit_fifo_dlx_sup, 1, supervisor:which_children(rabbit_sup))
    andalso whereis(rabbit_fifo_dlx_sup) =:= undefined.')"
  [ "$ended" = true ] || return 0
  say "RabbitMQ has given up its workers for dead letters and would refuse queues: starting it again"
  rabbitmq_down
  rabbitmq_up
}
