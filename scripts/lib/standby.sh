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

standby_port() { echo "$STANDBY_PORT"; }

standby_down() {
  [ -s "$STANDBY/data/PG_VERSION" ] || return 0
  as postgres "$PG_BIN/pg_ctl" -D "$STANDBY/data" -m immediate -w stop >/dev/null 2>&1 || true
}
