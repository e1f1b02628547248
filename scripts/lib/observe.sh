# Prometheus beside the local stack, with the configuration and the rules of deploy/prometheus. Sourced, after servers.sh.
#
# It listens on BHIV_BASE + 8, on loopback, and keeps a day.

PROM_PORT=$((BASE + 8))
PROM_URL="http://127.0.0.1:$PROM_PORT"
PROM_HOME="$RUN/prometheus"
# Set where something stands at the edge: the address to ask, and the blackbox exporter that asks.
EDGE_URL='' BLACKBOX_ADDRESS=''
SCRAPE_SECONDS=15

# The configuration of the compose picture, with the addresses of this stack in it.
prometheus_config() {
  local services=() service
  # As it names them.
  for service in "${MODULES[@]}"; do services+=(-e "s/\"$service:80[0-9]*\"/\"127.0.0.1:$(port_of "$service")\"/"); done
  sed "${services[@]}" \
    -e "s/\"gateway-1:.*\(\], labels\)/\"127.0.0.1:$(port_of bhiv-gateway)\"\1/" \
    -e "s/\"rabbitmq:15692\"/\"127.0.0.1:$RMQ_PROM_PORT\"/" \
    -e "s|\"\*.rules.yml\"|\"$ROOT/deploy/prometheus/*.rules.yml\"|" \
    -e "s/_interval: 15s/_interval: ${SCRAPE_SECONDS}s/; s/_timeout: 10s/_timeout: $((SCRAPE_SECONDS * 2 / 3))s/" \
    "$ROOT/deploy/prometheus/prometheus.yml" |
    if [ -n "$EDGE_URL" ]; then
      sed -e "s|https://nginx:8443/health|$EDGE_URL|; s/blackbox:9115/$BLACKBOX_ADDRESS/"
    else
      # Nothing with a certificate stands before a local stack.
      sed '/^  # What clients see/,$d'
    fi
}

prometheus_ready() { curl -fsS -m 2 "$PROM_URL/-/ready" >/dev/null 2>&1; }

prometheus_up() {
  need_tools prometheus:prometheus
  mkdir -p "$PROM_HOME"
  prometheus_config >"$PROM_HOME/prometheus.yml"
  promtool check config "$PROM_HOME/prometheus.yml" >"$PROM_HOME/check.log" 2>&1 || { cat "$PROM_HOME/check.log" >&2; return 1; }
  if alive "$PROM_HOME/pid"; then
    # The rules may be others.
    kill -HUP "$(cat "$PROM_HOME/pid")"
    return 0
  fi
  (
    exec setsid prometheus --config.file="$PROM_HOME/prometheus.yml" --web.listen-address="127.0.0.1:$PROM_PORT" \
      --storage.tsdb.path="$PROM_HOME/data" --storage.tsdb.retention.time=1d --log.level=warn \
      >>"$PROM_HOME/log" 2>&1 </dev/null
  ) &
  echo $! >"$PROM_HOME/pid"
  wait_until 30 prometheus_ready || { tail -n 20 "$PROM_HOME/log" >&2; return 1; }
}

prometheus_down() { end_process "$PROM_HOME/pid" 10; }
