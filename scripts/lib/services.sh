# Builds, sets up, starts and stops services. Sourced, never run.

PROFILE="${BHIV_PROFILE:-dev}"
TARGET="${CARGO_TARGET_DIR:-$ROOT/target}/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")"
LOGS="$RUN/logs"
VHOST=bhiv

# What each service reads from its environment, one file each. Secrets stay in .run, readable by us alone.
write_environments() {
  mkdir -p "$RUN/env" "$LOGS" "$RUN/pids" "$RUN/keys"
  chmod 700 "$RUN/env" "$RUN/keys"
  local service role user
  for service in "${SERVICES[@]}"; do
    role=$service user=$service
    if [ "$service" = bhiv-gateway ]; then role=gateway user=core; fi
    cat >"$RUN/env/$service.env" <<ENV
HTTP_ADDR=127.0.0.1:$(port_of "$service")
DATABASE_URL=postgres://$role:$(secret "postgres-$role")@127.0.0.1:$PG_PORT/bhiv
AMQP_URL=amqp://$user:$(secret "rabbitmq-$user")@127.0.0.1:$AMQP_PORT/$VHOST
AUTH_JWKS_FILE=$RUN/keys/jwks.json
DRAIN_DELAY_MS=0
ENV
  done
  cat >>"$RUN/env/bhiv-gateway.env" <<ENV
SIGNING_KEY_FILE=$RUN/keys/signing-key.pem
REDIS_URL=redis://:$(secret redis)@127.0.0.1:$REDIS_PORT/0
ADMIN_EMAIL=admin@bhiv.example
ADMIN_PASSWORD=$(secret admin)
CRM_URL=http://127.0.0.1:$(port_of crm)
LOGISTICS_URL=http://127.0.0.1:$(port_of logistics)
TASK_URL=http://127.0.0.1:$(port_of task)
COMPLIANCE_URL=http://127.0.0.1:$(port_of compliance)
RL_URL=http://127.0.0.1:$(port_of rl)
LOGGING_URL=http://127.0.0.1:$(port_of logging)
WEBHOOK_ALLOW_HTTP=true
WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/8
ENV
  cat >>"$RUN/env/compliance.env" <<ENV
COMPLIANCE_SIGNING_KEY_FILE=$RUN/keys/compliance-key.pem
COMPLIANCE_JWKS_FILE=$RUN/keys/compliance-jwks.json
ENV
  cat >>"$RUN/env/logging.env" <<ENV
LOGGING_SIGNING_KEY_FILE=$RUN/keys/logging-key.pem
LOGGING_MASTER_KEY_FILE=$RUN/keys/logging-master.key
ENV
  cat >"$RUN/env/operator.env" <<ENV
BHIV_URL=http://127.0.0.1:$(port_of bhiv-gateway)
ADMIN_EMAIL=admin@bhiv.example
ADMIN_PASSWORD=$(secret admin)
SIGNING_KEY_FILE=$RUN/keys/signing-key.pem
AUTH_JWKS_FILE=$RUN/keys/jwks.json
OPERATOR_AMQP_URL=amqp://operator:$(secret rabbitmq-operator)@127.0.0.1:$AMQP_PORT/$VHOST
RABBITMQ_ADMIN_URL=http://admin:$(secret rabbitmq)@127.0.0.1:$RMQ_ADMIN_PORT
DATABASE_ADMIN_URL=postgres://postgres:$(secret postgres)@127.0.0.1:$PG_PORT/bhiv
ENV
  chmod 600 "$RUN"/env/*.env
}

# with_environment <file> <command...>: runs it in a subshell with that file's settings.
with_environment() (
  set -a
  . "$RUN/env/$1.env"
  set +a
  shift
  "$@"
)

bhiv() { with_environment operator "$TARGET/bhiv" "$@"; }

# build <services...>
build() {
  local packages=(-p bhiv) service
  for service in "$@"; do packages+=(-p "$service"); done
  (cd "$ROOT" && cargo build --locked --profile "$PROFILE" "${packages[@]}") ||
    fail "the build failed; see the lines above"
}

# Database, virtual host, keys and operators' user: what the services share.
prepare_shared() {
  postgres_sql <<'SQL'
SELECT 'CREATE DATABASE bhiv' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'bhiv') \gexec
SQL
  bhiv keys
  bhiv keys --signing-key-file "$RUN/keys/compliance-key.pem" --jwks-file "$RUN/keys/compliance-jwks.json"
  bhiv keys --signing-key-file "$RUN/keys/logging-key.pem" --jwks-file "$RUN/keys/logging-jwks.json"
  [ -s "$RUN/keys/logging-master.key" ] || (umask 077 && head -c 32 /dev/urandom | base64 >"$RUN/keys/logging-master.key")
  bhiv broker setup
}

# setup <services...>: schema, role, topology, user of each, side by side.
setup() {
  local pids=() service pid result=0
  for service in "$@"; do
    setup_one "$service" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || result=1; done
  [ $result = 0 ] || fail "setup failed; see the lines above"
}
setup_one() (
  set -a
  . "$RUN/env/operator.env"
  . "$RUN/env/$1.env"
  set +a
  "$TARGET/$1" setup >"$LOGS/$1.setup.log" 2>&1 || { cat "$LOGS/$1.setup.log" >&2; exit 1; }
)

# The service is running, and its binary has not been built anew since.
is_current() { alive "$RUN/pids/$1" && [ ! "$TARGET/$1" -nt "$RUN/pids/$1" ]; }

start() {
  end_process "$RUN/pids/$1" 35
  (
    set -a
    . "$RUN/env/$1.env"
    set +a
    cd "$RUN"
    exec setsid "$TARGET/$1" run >>"$LOGS/$1.log" 2>&1 </dev/null
  ) &
  echo $! >"$RUN/pids/$1"
}

stop() {
  local pids=() service
  for service in "$@"; do
    end_process "$RUN/pids/$service" 35 &
    pids+=($!)
  done
  [ ${#pids[@]} = 0 ] || wait "${pids[@]}"
}

# wait_ready <services...>
wait_ready() {
  local urls=() service
  for service in "$@"; do urls+=("http://127.0.0.1:$(port_of "$service")"); done
  if ! bhiv ready --seconds "${BHIV_PATIENCE:-60}" "${urls[@]}"; then
    for service in "$@"; do last_lines "$service"; done
    return 1
  fi
}

# The end of a service's log: what to look at when something went wrong.
last_lines() {
  [ -s "$LOGS/$1.log" ] || return 0
  printf '\n--- the last lines of %s\n' "$LOGS/$1.log" >&2
  tail -n "${2:-8}" "$LOGS/$1.log" | cut -c1-400 >&2
}
