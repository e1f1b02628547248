"""Rules for an environment: all services, and what they run on."""

from collections import Counter, defaultdict

import alerts as source
import network as edges
from model import (
    NAME, SERVICES, containers, environment_of, name_of, pod_of, references, selects, service_of, title,
)

# Beside its pool a process has a session for the relay, and one for migrations while it begins.
BESIDE_POOL = 2
# Those that PostgreSQL keeps for superusers, CloudNativePG's own, two setups at once, and a person who looks.
RESERVED = 20


def alone(unit, context):
    for service in SERVICES:
        single = context.units[f"overlays/{unit.environment}/{service}"]
        among_all = [d for d in unit.documents if service_of(d) == service and d["kind"] != "Ingress"]
        if sorted(map(str, single.documents)) != sorted(map(str, among_all)):
            yield f"{service} applied alone is not what it is among all"


def nothing_shared(unit, _):
    for (kind, name), count in Counter((d["kind"], name_of(d)) for d in unit.documents).items():
        if count > 1:
            yield f"there are {count} of {kind} {name}"
    users = defaultdict(set)
    for document in unit.all("Deployment", "Job", "StatefulSet", "TriggerAuthentication"):
        owner = document["metadata"]["labels"].get(NAME)
        for reference in references(document):
            users[reference].add(owner)
        if document["kind"] != "TriggerAuthentication":
            users["ServiceAccount", pod_of(document)["spec"].get("serviceAccountName")].add(owner)
    for document in unit.all("ScaledObject"):
        for trigger in document["spec"]["triggers"]:
            if "authenticationRef" in trigger:
                users["TriggerAuthentication", trigger["authenticationRef"]["name"]].add(name_of(document))
    for (kind, name), owners in sorted(users.items(), key=str):
        if len(owners) > 1:
            yield f"{', '.join(sorted(owners))} share the {kind} {name}"
    workloads = unit.all("Deployment", "Job", "StatefulSet")
    for kind, selector_of in (
        ("Deployment", lambda d: d["spec"]["selector"]),
        ("Service", lambda d: {"matchLabels": d["spec"]["selector"]}),
        ("PodDisruptionBudget", lambda d: d["spec"]["selector"]),
    ):
        for document in unit.all(kind):
            selected = [w for w in workloads if selects(selector_of(document), pod_of(w)["metadata"]["labels"])]
            taken = {workload["metadata"]["labels"].get(NAME) for workload in selected}
            if len(taken) > 1:
                yield f"{title(document)} takes pods of {', '.join(sorted(taken))}"


def namespace(unit, _):
    wanted = f"bhiv-{unit.environment}"
    spaces = unit.all("Namespace")
    if [name_of(space) for space in spaces] != [wanted]:
        yield f"it makes {[name_of(space) for space in spaces]} instead of {wanted}"
    for space in spaces:
        if space["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{title(space)} takes pods that are less than restricted"
    for document in unit.documents:
        if document["kind"] != "Namespace" and document["metadata"].get("namespace") != wanted:
            yield f"{title(document)} is not in {wanted}"


def network(unit, _):
    for workload in unit.all("Deployment", "Job"):
        of = pod_of(workload)["metadata"]["labels"]
        policies = [p["spec"] for p in unit.all("NetworkPolicy") if selects(p["spec"]["podSelector"], of)]
        covered = {direction for policy in policies for direction in policy["policyTypes"]}
        if covered != {"Ingress", "Egress"}:
            yield f"{title(workload)} is left open: {', '.join(sorted({'Ingress', 'Egress'} - covered))}"
    yield from edges.differences(unit)


def connections(unit, context):
    needed = RESERVED
    for deployment in unit.all("Deployment"):
        server, name = containers(deployment)[0], name_of(deployment)
        pool = int(environment_of(server, unit).get("DATABASE_CONNECTIONS", context.default_pool))
        most = sum(
            scaler["spec"].get("maxReplicas", scaler["spec"].get("maxReplicaCount", 0))
            for scaler in unit.all("HorizontalPodAutoscaler", "ScaledObject")
            if scaler["spec"]["scaleTargetRef"]["name"] == name
        )
        surge = deployment["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", 1)
        needed += (most + surge) * (pool + BESIDE_POOL)
    for cluster in unit.all("Cluster"):
        there = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
        if needed > there:
            yield f"{needed} connections are needed, and PostgreSQL takes {there}"


def modules(unit, _):
    gateway = unit.one("Deployment", "bhiv-gateway")
    given = environment_of(containers(gateway)[0], unit)
    there = {f"http://{name_of(s)}:{s['spec']['ports'][0]['port']}" for s in unit.all("Service")}
    for service in SERVICES[:-1]:
        url = given.get(f"{service.upper()}_URL")
        if url not in there or not url.startswith(f"http://{service}:"):
            yield f"the gateway looks for {service} at {url}"


def quorum(unit, _):
    for pooler in unit.all("Pooler"):
        yield f"{title(pooler)}: advisory locks and LISTEN do not outlive a transaction there"
    if unit.environment == "dev":
        return
    for cluster in unit.all("Cluster"):
        synchronous = cluster["spec"]["postgresql"].get("synchronous", {})
        if cluster["spec"]["instances"] < 3 or synchronous.get("dataDurability") != "required":
            yield f"{title(cluster)} loses what was committed with its primary, or has one replica to read from"
    for cluster in unit.all("RabbitmqCluster"):
        if cluster["spec"]["replicas"] < 3 or cluster["spec"]["replicas"] % 2 == 0:
            yield f"{title(cluster)} has {cluster['spec']['replicas']} nodes: no majority without one of them"
        if "cluster_partition_handling = pause_minority" not in cluster["spec"]["rabbitmq"]["additionalConfig"]:
            yield f"{title(cluster)} goes on in two halves"


def alerts(unit, _):
    there = [group for rule in unit.all("PrometheusRule") for group in rule["spec"]["groups"]]
    if there != source.groups():
        yield "k8s/platform/monitoring/rules.yaml is not deploy/prometheus: scripts/lib/manifests/run --update"


UPLOADS = {"/crm/import", "/logistics/delivery"}
STREAMS = {"/events/stream", "/logs/stream", "/ws"}


def door(unit, _):
    ingresses = unit.all("Ingress")
    certificates = [entry for i in ingresses for entry in i["spec"].get("tls", []) if entry.get("secretName")]
    encrypted = {host for entry in certificates for host in entry["hosts"]}
    ports = {(name_of(s), port["name"]) for s in unit.all("Service") for port in s["spec"]["ports"]}
    at = {}
    for ingress in ingresses:
        notes = ingress["metadata"].get("annotations", {})
        for rule in ingress["spec"]["rules"]:
            if rule.get("host") not in encrypted:
                yield f"{title(ingress)}: {rule.get('host')} has no certificate"
            for path in rule.get("http", {}).get("paths", []):
                backend = path["backend"]["service"]
                if backend["name"] != "bhiv-gateway" or (backend["name"], backend["port"]["name"]) not in ports:
                    yield f"{title(ingress)} lets clients past the gateway, to {backend['name']}"
                at[path["path"]] = notes
    for path in sorted(STREAMS):
        notes = at.get(path, {})
        if notes.get("nginx.org/proxy-buffering") != "false" or notes.get("nginx.org/proxy-read-timeout") != "120s":
            yield f"{path} is buffered, or cut before the next sign of life"
    for path in sorted(UPLOADS):
        if at.get(path, {}).get("nginx.org/client-max-body-size") != "64m":
            yield f"{path} takes less than the gateway does"
    if "non_idempotent" in str(at):
        yield "what may have been done is sent again"
    if not any(i["metadata"]["annotations"].get("nginx.org/ssl-redirect") == "true" for i in ingresses):
        yield "clients may come without TLS"
