# Which commit stands for what is deployed. Sourced after common.sh, never run.

# baseline: prints it. CONTRACTS_AGAINST, if it is set; else the last release, which is a tag; else where this branch left
# that of others; else the commit before. Fails when there is no history to choose from, as in a shallow clone.
baseline() {
  local name commit head
  head="$(git -C "$ROOT" rev-parse --verify --quiet HEAD)" || return 1
  if [ -n "${CONTRACTS_AGAINST:-}" ]; then
    echo "$CONTRACTS_AGAINST"
    return 0
  fi
  # A release that is being made is compared with the one before it.
  if name="$(git -C "$ROOT" describe --tags --abbrev=0 HEAD^ 2>/dev/null)"; then
    echo "$name"
    return 0
  fi
  if commit="$(git -C "$ROOT" merge-base HEAD origin/HEAD 2>/dev/null)" && [ "$commit" != "$head" ]; then
    echo "$commit"
    return 0
  fi
  git -C "$ROOT" rev-parse --verify --quiet 'HEAD^'
}
