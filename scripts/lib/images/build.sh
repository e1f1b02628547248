# Images built with deploy/Dockerfile itself, by buildah, and run by podman: no registry of images is asked. In place of the
# official Rust image there is a Debian made by debootstrap, with this machine's toolchain and crates. Sourced by run.

# An image with everything in it may have so many bytes.
MOST_BYTES=$((40 * 1000 * 1000))
CONTAINERS="$RUN/containers"
RUST_BASE=localhost/bhiv-rust:local

engine_up() {
  [ "$(id -u)" = 0 ] || fail "only root can build and run images here"
  need_tools buildah:buildah podman:podman runc:runc debootstrap:debootstrap catatonit:catatonit curl:curl
  mkdir -p "$CONTAINERS"
  export CONTAINERS_STORAGE_CONF="$CONTAINERS/storage.conf" CONTAINERS_CONF="$CONTAINERS/containers.conf"
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/images"\nrunroot = "%s/run"\n' "$CONTAINERS" "$CONTAINERS" \
    >"$CONTAINERS_STORAGE_CONF"
  # Limits that a machine without CAP_SYS_RESOURCE can set, and a runtime for both kinds of control groups.
  cat >"$CONTAINERS_CONF" <<'CONF'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
CONF
}

# Debian with a C compiler; Rust is lent to it while something is built.
base_up() {
  buildah inspect --type image "$RUST_BASE" >/dev/null 2>&1 && return 0
  say "making a base image of Debian packages"
  local container root="$CONTAINERS/debian"
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates,gcc,g++,libc6-dev,make bookworm "$root" >"$CONTAINERS/debootstrap.log" ||
    { tail -n 5 "$CONTAINERS/debootstrap.log" >&2; return 1; }
  container="$(buildah from scratch)"
  buildah copy -q "$container" "$root" / >/dev/null
  buildah config --env PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin --env CARGO_HOME=/var/cargo "$container"
  buildah commit -q --rm "$container" "$RUST_BASE" >/dev/null
  rm -rf "$root"
}

build_image() {
  say "building the image of $1"
  buildah bud --isolation chroot --pull-never --layers --ulimit nofile=20000:20000 --ulimit nproc=10000:10000 \
    --build-arg RUST_IMAGE="$RUST_BASE" --build-arg SERVICE="$1" --build-arg REVISION="$(git -C "$ROOT" rev-parse HEAD)" \
    --volume "$(rustc --print sysroot):/usr/local/rust:ro" \
    --volume "${CARGO_HOME:-$HOME/.cargo}/registry:/var/cargo/registry:ro" \
    --file "$ROOT/deploy/Dockerfile" --tag "localhost/bhiv/$1:test" "$ROOT" >"$CONTAINERS/$1.log" 2>&1 ||
    { tail -n 20 "$CONTAINERS/$1.log" >&2; fail "the image of $1 cannot be built; the whole log is $CONTAINERS/$1.log"; }
}

# What the image holds, beside what a Dockerfile can say of itself.
examine_image() {
  local image="localhost/bhiv/$1:test" size container files
  size="$(podman image inspect --format '{{.Size}}' "$image")"
  [ "$size" -le $MOST_BYTES ] || fail "the image of $1 has $size bytes, more than $MOST_BYTES"
  [ "$(podman image inspect --format '{{.User}}' "$image")" = 10001:10001 ] || fail "the image of $1 runs as somebody else"
  container="$(podman create --pull never "$image")"
  files="$(podman export "$container" | tar -t | grep -v '/$')"
  podman rm "$container" >/dev/null
  if grep -E '(^|/)(sh|bash|dash|busybox|apt|dpkg|perl)$' <<<"$files"; then fail "the image of $1 has a shell or a tool"; fi
  printf '| %s | %s MB | %s |\n' "$1" "$(awk "BEGIN { printf \"%.1f\", $size / 1e6 }")" "$(grep -Ec '(^|/)lib(64)?/' <<<"$files")"
}

# container_files <name> <environment>...: settings for a container; secrets go into files, as in deploy/compose.
container_files() {
  local folder="$CONTAINERS/$1" name value
  mkdir -p "$folder/secrets"
  : >"$folder/env"
  cat "${@:2}" | while IFS='=' read -r name value; do
    case "$name" in
      *_URL | ADMIN_PASSWORD)
        case "$value" in
          http://127.*) echo "$name=$value" >>"$folder/env" ;;
          *)
            printf '%s\n' "$value" >"$folder/secrets/$name"
            echo "${name}_FILE=/run/secrets/$name" >>"$folder/env"
            ;;
        esac
        ;;
      *) echo "$name=$value" >>"$folder/env" ;;
    esac
  done
  chown -R 10001:10001 "$folder/secrets"
}

# container <podman options> -- <name of its files> <service> [arguments]: as restricted as in deployment.
container() {
  local options=()
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  podman run --pull never --network host --read-only --read-only-tmpfs=false --cap-drop all \
    --security-opt no-new-privileges --env-file "$CONTAINERS/$2/env" \
    --volume "$CONTAINERS/$2/secrets:/run/secrets:ro" --volume "$RUN/keys:$RUN/keys" \
    "${options[@]}" "localhost/bhiv/$3:test" "${@:4}"
}

is_healthy() { podman exec "test-$1" /bin/service healthy; }

# A service in its container: set up, and ready by its own word and over HTTP.
start_image() {
  local service=$1
  container_files "$service" "$RUN/env/$service.env"
  container_files "$service-setup" "$RUN/env/operator.env" "$RUN/env/$service.env"
  container --rm -- "$service-setup" "$service" setup >"$CONTAINERS/$service.setup.log" 2>&1 ||
    { tail -n 5 "$CONTAINERS/$service.setup.log" >&2; fail "$service setup fails in its container"; }
  podman rm -f "test-$service" >/dev/null 2>&1 || true
  container --detach --name "test-$service" -- "$service" "$service" >/dev/null
  if ! wait_until 60 is_healthy "$service" || ! curl -fsS "http://127.0.0.1:$(port_of "$service")/health/ready" >/dev/null; then
    podman logs "test-$service" 2>&1 | tail -n 5 >&2
    fail "$service does not become ready in its container"
  fi
}

# It is gone in time after SIGTERM, with 0.
stop_image() {
  local service=$1 started=$SECONDS code
  podman stop --time 35 "test-$service" >/dev/null
  code="$(podman inspect --format '{{.State.ExitCode}}' "test-$service")"
  podman rm "test-$service" >/dev/null
  [ "$code" = 0 ] || fail "$service ends with $code after SIGTERM"
  if curl -fs "http://127.0.0.1:$(port_of "$service")/health/live" >/dev/null; then fail "$service still answers"; fi
  say "$service: set up, ready, and ended with 0 after $((SECONDS - started)) s, on a root that it cannot write to"
}

all_down() {
  podman rm -f --all >/dev/null 2>&1 || true
  servers_down
}

# build_images <service...>
build_images() {
  need_packages
  engine_up
  base_up
  (cd "$ROOT" && cargo fetch --locked >/dev/null)
  local service
  for service in bhiv "$@"; do build_image "$service"; done
}

# try_images <service...>
try_images() {
  need_packages
  engine_up
  local service
  printf '| image | size | libraries |\n|---|---|---|\n'
  for service in bhiv "$@"; do examine_image "$service"; done
  trap all_down EXIT
  servers_up
  echo 'DROP DATABASE IF EXISTS bhiv WITH (FORCE)' | postgres_sql
  remove_vhost "$VHOST"
  write_environments
  container_files operator "$RUN/env/operator.env"
  # Keys are made by the image of the command line, for its user.
  bhiv() { container --rm -- operator bhiv "$@"; }
  chown -R 10001:10001 "$RUN/keys"
  prepare_shared
  chown -R 10001:10001 "$RUN/keys"
  for service in "$@"; do start_image "$service"; done
  if [ $# = ${#SERVICES[@]} ]; then bhiv flow --quiet; fi
  for service in "$@"; do stop_image "$service"; done
  say "not run: Docker itself, and the official Rust image; the same Dockerfile was built by buildah on a base of Debian's"
}
