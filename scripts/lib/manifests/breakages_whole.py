"""What somebody could break between services."""

from breakages import PROD, breaks, egress, pod, remove, server
from model import name_of


@breaks("alone", PROD)
def a_patch_that_only_all_get(unit):
    server(unit)["env"].append({"name": "RUST_LOG", "value": "debug"})


@breaks("nothing shared", PROD)
def one_secret_for_two(unit):
    server(unit, "task")["env"][1]["valueFrom"]["secretKeyRef"]["name"] = "crm-credentials"


@breaks("nothing shared", PROD)
def one_account_for_two(unit):
    pod(unit, "task")["serviceAccountName"] = "crm"


@breaks("nothing shared", PROD)
def public_keys_in_one_place(unit):
    pod(unit, "task")["volumes"][0]["configMap"]["name"] = "crm-token-keys"


@breaks("nothing shared", PROD)
def pods_of_two(unit):
    del unit.one("Service", "crm")["spec"]["selector"]["app.kubernetes.io/name"]


@breaks("namespace", PROD)
def another_namespace(unit):
    unit.one("Deployment", "crm")["metadata"]["namespace"] = "default"


@breaks("namespace", PROD)
def a_namespace_that_takes_anything(unit):
    unit.one("Namespace", "bhiv-prod")["metadata"]["labels"].clear()


@breaks("network", PROD)
def a_module_asks_a_module(unit):
    egress(unit).append({"to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "task"}}}]})
    unit.one("NetworkPolicy", "task")["spec"]["ingress"].append({"from": [{"podSelector": {}}]})


@breaks("network", PROD)
def a_way_to_the_internet(unit):
    egress(unit).append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 443}]})


@breaks("network", PROD)
def a_way_to_the_metadata_service(unit):
    unit.one("NetworkPolicy", "task-internet")["spec"]["egress"][0]["to"][0]["ipBlock"]["except"].remove("169.254.0.0/16")


@breaks("network", PROD)
def redis_for_everybody(unit):
    unit.one("NetworkPolicy", "redis")["spec"]["ingress"][0].pop("from")


@breaks("network", PROD)
def administrators_for_the_service(unit):
    egress(unit)[2]["ports"].append({"port": 15672})


@breaks("network", PROD)
def no_policy(unit):
    remove(unit, "NetworkPolicy", "crm-setup")


@breaks("network", PROD)
def no_way_to_the_broker(unit):
    egress(unit).pop(2)


@breaks("network", PROD)
def whoever_is_called_gateway_anywhere(unit):
    unit.one("NetworkPolicy", "crm")["spec"]["ingress"][0]["from"][0]["namespaceSelector"] = {}


@breaks("connections", PROD)
def a_larger_pool(unit):
    settings = next(d for d in unit.all("ConfigMap") if name_of(d).startswith("crm-settings"))
    settings["data"]["DATABASE_CONNECTIONS"] = "32"


@breaks("connections", PROD)
def many_more_replicas(unit):
    unit.one("HorizontalPodAutoscaler", "bhiv-gateway")["spec"]["maxReplicas"] = 30


@breaks("modules", PROD)
def a_module_at_another_port(unit):
    unit.one("Service", "crm")["spec"]["ports"][0]["port"] = 80


@breaks("quorum", PROD)
def a_commit_on_one_machine(unit):
    del unit.one("Cluster", "postgres")["spec"]["postgresql"]["synchronous"]


@breaks("quorum", PROD)
def two_nodes(unit):
    unit.one("RabbitmqCluster", "rabbitmq")["spec"]["replicas"] = 2


@breaks("quorum", PROD)
def a_pooler(unit):
    unit.documents.append({"kind": "Pooler", "metadata": {"name": "pooler"}})


@breaks("alerts", PROD)
def an_alert_of_yesterday(unit):
    unit.one("PrometheusRule", "bhiv")["spec"]["groups"][0]["rules"].pop()


@breaks("door", PROD)
def no_certificate(unit):
    del unit.one("Ingress", "bhiv-gateway")["spec"]["tls"]


@breaks("door", PROD)
def past_the_gateway(unit):
    path = unit.one("Ingress", "bhiv-gateway-requests")["spec"]["rules"][0]["http"]["paths"][0]
    path["backend"]["service"]["name"] = "crm"


@breaks("door", PROD)
def buffered_streams(unit):
    del unit.one("Ingress", "bhiv-gateway-streams")["metadata"]["annotations"]["nginx.org/proxy-buffering"]
