# A standby of the private PostgreSQL, which it follows. Sourced, never run.

STANDBY="$DATA/standby"
STANDBY_PORT=$((BASE + 70))

standby_up() {
  standby_down
  rm -rf "$STANDBY"
  own postgres "$STANDBY"
  PGPASSWORD="$(secret postgres)" as postgres "$PG_BIN/pg_basebackup" -D "$STANDBY/data" -R -X stream -c fast \
    -h 127.0.0.1 -p "$PG_PORT" -U postgres
  printf "port = %s\nshared_buffers = 64MB\n" "$STANDBY_PORT" >>"$STANDBY/data/postgresql.conf"
  as postgres "$PG_BIN/pg_ctl" -D "$STANDBY/data" -l "$STANDBY/log" -w -t 60 start >/dev/null || { tail -n 20 "$STANDBY/log" >&2; return 1; }
}

# standby_lag <time>: it does what the primary did so long ago, for example 10s.
standby_lag() {
  printf "recovery_min_apply_delay = '%s'\n" "$1" >>"$STANDBY/data/postgresql.conf"
  as postgres "$PG_BIN/pg_ctl" -D "$STANDBY/data" reload >/dev/null
}

# standby_sql: asks the standby what it reads.
standby_sql() {
  PGPASSWORD="$(secret postgres)" psql -qAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$STANDBY_PORT" -U postgres -d bhiv
}
standby_says() { [ "$(standby_sql <<<"$1")" = "$2" ]; }

# standby_hold <table>: replay stops at a moment at which the table is locked, so that who reads it there waits.
standby_hold() {
  local locked="SELECT count(*) FROM pg_locks WHERE relation = '$1'::regclass AND mode = 'AccessExclusiveLock'"
  standby_sql >/dev/null <<<'SELECT pg_wal_replay_resume()'
  coproc HOLDER { PGPASSWORD="$(secret postgres)" psql -qAt -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U postgres -d bhiv; }
  local holder=$HOLDER_PID
  printf 'BEGIN; LOCK TABLE %s;\n' "$1" >&"${HOLDER[1]}"
  wait_until 10 standby_says "$locked" 1
  standby_sql >/dev/null <<<'SELECT pg_wal_replay_pause()'
  wait_until 10 standby_says 'SELECT pg_get_wal_replay_pause_state()' paused
  printf '%s\n' 'ROLLBACK; \q' >&"${HOLDER[1]}"
  wait "$holder"
}

# standby_cancel: cancels those who wait there for a lock, and lets replay go on; says how many they were, none if nobody
# waits within a second.
standby_cancel() {
  local waiting="FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_type = 'client backend'"
  wait_until 1 standby_says "SELECT count(*) > 0 $waiting" t || true
  standby_sql <<<"SELECT count(pg_cancel_backend(pid)) $waiting"
  standby_sql >/dev/null <<<'SELECT pg_wal_replay_resume()'
}

standby_port() { echo "$STANDBY_PORT"; }

standby_down() {
  [ -s "$STANDBY/data/PG_VERSION" ] || return 0
  as postgres "$PG_BIN/pg_ctl" -D "$STANDBY/data" -m immediate -w stop >/dev/null 2>&1 || true
}
