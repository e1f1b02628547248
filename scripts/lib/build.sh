# Builds programs as images have them. Sourced, never run; needs services.sh.

# What they did under load, as scripts/profile wrote it down: the compiler lays them out for that.
PROFILE_OF_LOAD="$ROOT/deploy/services.profdata"

# build <program...>
build() {
  if [ "$PROFILE" = dev ]; then
    # Everything is built for debugging anyway, and a part of it alone would have other features.
    cargo build --locked --workspace
    return
  fi
  # Whatever is built has the features of the whole workspace: what is compiled for one program serves the next one, and is
  # what the profile speaks of. A function that has changed since is compiled as if there were none. Cargo does not look at
  # the file, only at what the compiler is told: so it is told which one it is.
  local which
  which="$(cksum <"$PROFILE_OF_LOAD")"
  local after="-Cprofile-use=$PROFILE_OF_LOAD --cfg=profile_${which%% *} -Cllvm-args=-no-pgo-warn-mismatch"
  RUSTFLAGS="${RUSTFLAGS:-} ${BHIV_PROFILING:-$after}" \
    cargo build --locked --profile "$PROFILE" --workspace "${@/#/--bin=}"
}
