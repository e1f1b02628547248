# Three nodes of RabbitMQ beside the stack's own one, for the fault that parts them. Sourced after servers.sh.
#
# Node 1 has ten ports from BHIV_BASE + 40 on, node 2 from + 50, node 3 from + 60.
CLUSTER=(1 2 3)

# cluster_node <node> <command...>: what servers.sh does with the stack's broker, done with that node.
cluster_node() (
  cluster_settings "$1"
  shift
  "$@"
)
cluster_settings() {
  local first=$((BASE + 30 + 10 * $1)) node
  AMQP_PORT=$((first + 2)) RMQ_ADMIN_PORT=$((first + 3)) RMQ_PROM_PORT=$((first + 4)) RMQ_DIST_PORT=$((first + 5))
  RMQ_HOME="$DATA/cluster/$1"
  RMQ_NAME="bhiv$BASE-$1@localhost"
  # A node that is gone is noticed within 10 s instead of 75 s.
  RMQ_ADVANCED='[{kernel, [{net_ticktime, 8}]}].'
  RMQ_CONF="cluster_formation.peer_discovery_backend = classic_config
cluster_partition_handling = pause_minority"
  for node in "${CLUSTER[@]}"; do
    RMQ_CONF+=$'\n'"cluster_formation.classic_config.nodes.$node = bhiv$BASE-$node@localhost"
  done
}

# Prints the ports of each node: AMQP, management.
cluster_up() {
  local node pid pids=()
  # Before three of them make it.
  secret erlang >/dev/null
  for node in "${CLUSTER[@]}"; do
    cluster_node "$node" rabbitmq_up &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
  wait_until 60 cluster_is_whole || fail "the nodes have not found each other; see $DATA/cluster/*/log"
  for node in "${CLUSTER[@]}"; do cluster_node "$node" eval 'echo "$AMQP_PORT $RMQ_ADMIN_PORT"'; done
}

# Each node says that all are running.
cluster_is_whole() {
  local node
  for node in "${CLUSTER[@]}"; do
    [ "$(cluster_node "$node" rabbitmq_nodes | grep -o '"running":true' | wc -l)" = "${#CLUSTER[@]}" ] || return 1
  done
}
rabbitmq_nodes() { rabbitmq_ask -m 10 "nodes?columns=running"; }

# cluster_signal <node> <signal>
cluster_signal() { cluster_node "$1" rabbitmq_signal "$2"; }

cluster_continue() {
  local node
  for node in "${CLUSTER[@]}"; do
    if alive "$DATA/cluster/$node/pid"; then cluster_signal "$node" CONT; fi
  done
}

cluster_down() {
  local node pids=()
  cluster_continue
  for node in "${CLUSTER[@]}"; do
    end_process "$DATA/cluster/$node/pid" 30 &
    pids+=($!)
  done
  wait "${pids[@]}"
}
