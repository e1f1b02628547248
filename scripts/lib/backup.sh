# Copies of the local stack, and the stack from a copy. Sourced, never run.

# with_postgres <command...>: as an administrator of the private server.
with_postgres() {
  PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER=postgres PGPASSWORD="$(secret postgres)" "$@"
}

# Whether there is anything that a restored copy would replace.
has_database() { with_postgres psql -qAt -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'bhiv'" | grep -q 1; }

# backup_to <folder>
backup_to() {
  with_postgres bhiv backup take "$1" -- "$PG_BIN/pg_dump" --format=custom --dbname=bhiv --file="$1/database.dump"
}

# What the database cannot do without: keys that seal and sign what is in it, and the first administrator's password.
# keys_to <folder>
keys_to() { mkdir -p "$1" && chmod 700 "$1" && cp -p "$RUN"/keys/* "$RUN/secrets/admin" "$1/"; }
# keys_from <folder>
keys_from() {
  mkdir -p "$RUN/keys" "$RUN/secrets"
  chmod 700 "$RUN/keys" "$RUN/secrets"
  cp -p "$1"/* "$RUN/keys/"
  mv "$RUN/keys/admin" "$RUN/secrets/admin"
}

# Database, queues, and what Redis keeps: sessions, and answers that may be newer than the copy.
forget_everything() {
  echo 'DROP DATABASE IF EXISTS bhiv WITH (FORCE)' | postgres_sql
  remove_vhost "$VHOST"
  REDISCLI_AUTH="$(secret redis)" redis-cli -p "$REDIS_PORT" FLUSHALL >/dev/null
}

# restore_from <folder>: into servers that have nothing of it. Setup gives the roles what else they need, the schemas what
# is newer than the copy, and RabbitMQ its queues.
restore_from() {
  local role
  for role in "${MODULES[@]}" gateway; do
    printf "SELECT 'CREATE ROLE %s' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%s') \\\\gexec\n" "$role" "$role"
  done | postgres_sql
  prepare_shared
  with_postgres "$PG_BIN/pg_restore" --exit-on-error --jobs=2 --dbname=bhiv "$1/database.dump"
  setup "${SERVICES[@]}"
  bhiv backup messages "$1"
}
