# Paths, ports and small helpers that every script shares. Sourced, never run.
#
#   BHIV_RUN        where a stack keeps its state           (default: .run in the checkout)
#   BHIV_BASE       first of ten ports for the servers      (default: 26000), and see cluster.sh
#   BHIV_HTTP_BASE  the gateway listens on this + 5, ...    (default: 8000)
#
# Another value for each gives a second stack beside the first one.
set -Eeuo pipefail
# No script ends without a word.
trap 'printf "%s: line %s: \"%s\" failed\n" "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND" >&2' ERR

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
RUN="${BHIV_RUN:-$ROOT/.run}"
BASE="${BHIV_BASE:-26000}"
HTTP_BASE="${BHIV_HTTP_BASE:-8000}"

PG_PORT=$((BASE + 1))
AMQP_PORT=$((BASE + 2))
RMQ_ADMIN_PORT=$((BASE + 3))
RMQ_PROM_PORT=$((BASE + 4))
RMQ_DIST_PORT=$((BASE + 5))
EPMD_PORT=$((BASE + 6))
REDIS_PORT=$((BASE + 7))

MODULES=(crm logistics task compliance rl logging)
SERVICES=("${MODULES[@]}" bhiv-gateway)

# port_of <service>
port_of() {
  case "$1" in
    bhiv-gateway) echo $((HTTP_BASE + 5)) ;;
    crm) echo $((HTTP_BASE + 11)) ;;
    logistics) echo $((HTTP_BASE + 12)) ;;
    task) echo $((HTTP_BASE + 13)) ;;
    compliance) echo $((HTTP_BASE + 14)) ;;
    rl) echo $((HTTP_BASE + 15)) ;;
    logging) echo $((HTTP_BASE + 16)) ;;
    *) fail "unknown service '$1': one of ${SERVICES[*]}" ;;
  esac
}

if [ -t 2 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' PLAIN=$'\e[0m'; else BOLD='' DIM='' RED='' PLAIN=''; fi
say() { printf '%s%s%s %s\n' "$DIM" "$(date +%T)" "$PLAIN" "$*" >&2; }
fail() {
  printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2
  exit 1
}

# as <account> <command...>: as that account when we are root, as ourselves otherwise.
as() {
  local account=$1
  shift
  if [ "$(id -u)" = 0 ]; then setpriv --reuid="$account" --regid="$account" --init-groups -- "$@"; else "$@"; fi
}
# The same for a daemon that goes to the background: it replaces the shell, so that $! is its own pid.
exec_as() {
  local account=$1
  shift
  if [ "$(id -u)" = 0 ]; then exec setpriv --reuid="$account" --regid="$account" --init-groups -- "$@"; else exec "$@"; fi
}

# alive <pid file>
alive() { [ -s "$1" ] && kill -0 "$(head -n 1 "$1" | tr -dc 0-9)" 2>/dev/null; }

# wait_until <seconds> <command...>: asks ten times a second.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# end_process <pid file> <seconds>: SIGTERM, and SIGKILL when it is not gone in time.
end_process() {
  alive "$1" || { rm -f "$1"; return 0; }
  local pid
  pid="$(head -n 1 "$1" | tr -dc 0-9)"
  kill -TERM "$pid" 2>/dev/null || true
  wait_until "$2" not_running "$pid" || kill -KILL "$pid" 2>/dev/null || true
  wait_until 5 not_running "$pid" || true
  rm -f "$1"
}
# A zombie of another parent counts as gone.
not_running() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# secret <name>: a random password, made at first use and kept under .run/secrets.
secret() {
  local file="$RUN/secrets/$1"
  if [ ! -s "$file" ]; then
    mkdir -p "$RUN/secrets"
    chmod 700 "$RUN/secrets"
    (umask 077 && head -c 24 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' >"$file")
  fi
  cat "$file"
}
