# Installs what a bare Debian or Ubuntu machine lacks. Sourced, never run.

PG_BIN=''
# The newest one that Debian has put there; empty when there is none.
find_postgres() { PG_BIN="$({ find /usr/lib/postgresql -maxdepth 2 -name bin -type d 2>/dev/null || true; } | sort -V | tail -n 1)"; }
find_postgres
RMQ_BIN=/usr/lib/rabbitmq/bin
# Where Debian puts daemons, nginx among them.
PATH="$PATH:/usr/sbin"

missing_packages() {
  local packages=()
  [ -n "$PG_BIN" ] && [ -x "$PG_BIN/postgres" ] || packages+=(postgresql)
  [ -x "$RMQ_BIN/rabbitmq-server" ] || packages+=(rabbitmq-server)
  command -v redis-server >/dev/null || packages+=(redis-server)
  command -v curl >/dev/null || packages+=(curl ca-certificates)
  command -v cc >/dev/null || packages+=(build-essential)
  command -v setpriv >/dev/null || packages+=(util-linux)
  command -v ps >/dev/null || packages+=(procps)
  echo "${packages[*]-}"
}

need_packages() {
  if ! command -v cargo >/dev/null && [ -f "$HOME/.cargo/env" ]; then . "$HOME/.cargo/env"; fi
  command -v cargo >/dev/null || fail "cargo is missing. Install a Rust toolchain first: https://rustup.rs"
  install_missing "$(missing_packages)"
  find_postgres
}

# need_tools <command:package...>: what only some scripts use.
need_tools() {
  local packages=() tool
  for tool in "$@"; do
    command -v "${tool%%:*}" >/dev/null || packages+=("${tool##*:}")
  done
  install_missing "${packages[*]-}"
}

# install_missing "<packages>"
install_missing() {
  local packages=$1
  [ -n "$packages" ] || return 0
  command -v apt-get >/dev/null || fail "missing: $packages. Install them with your package manager and run this again."
  local root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "missing: $packages. As root, run: apt-get install -y $packages"
    root=(sudo)
  fi
  say "installing $packages"
  mkdir -p "$RUN"
  install_quietly "$packages" "${root[@]}" >"$RUN/apt.log" 2>&1 || {
    tail -n 20 "$RUN/apt.log" >&2
    fail "apt-get failed; the whole log is $RUN/apt.log"
  }
}

# install_quietly "<packages>" [sudo]: without letting Debian start its own servers or make a cluster of its own.
install_quietly() {
  local packages=$1
  shift
  local policy=/usr/sbin/policy-rc.d had_policy=no
  [ -e "$policy" ] && had_policy=yes
  if [ $had_policy = no ]; then
    printf '#!/bin/sh\nexit 101\n' | "$@" tee "$policy" >/dev/null
    "$@" chmod 755 "$policy"
  fi
  "$@" mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' | "$@" tee /etc/postgresql-common/createcluster.d/bhiv.conf >/dev/null
  local result=0
  # shellcheck disable=SC2086 # one word per package
  { "$@" apt-get update && "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; } || result=$?
  # Nor at the next start of the machine: Debian's own services are called like their packages.
  local package
  for package in $packages; do "$@" systemctl disable "$package" || true; done
  [ $had_policy = yes ] || "$@" rm -f "$policy"
  return $result
}
