"""Who may talk to whom: every pair that the NetworkPolicies of an environment let through, beside those that should be."""

import ipaddress
from dataclasses import dataclass

from model import COMPONENT, NAME, SERVICES, name_of, pod_of, selects

NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class End:
    """A pod, or an address outside the cluster."""

    name: str
    namespace: str = ""
    labels: tuple = ()
    address: str = ""

    @property
    def tags(self):
        return dict(self.labels)



def tagged(name, namespace, tags):
    return End(name, namespace, tuple(tags.items()))


# Others in the cluster and outside it, by the labels that their charts and operators give them.
OTHERS = [
    tagged("dns", "kube-system", {"k8s-app": "kube-dns"}),
    tagged("prometheus", "monitoring", {NAME: "prometheus"}),
    tagged("ingress", "nginx-ingress", {NAME: "nginx-ingress"}),
    tagged("collector", "observability", {NAME: "opentelemetry-collector"}),
    tagged("elasticsearch", "elastic", {"common.k8s.elastic.co/type": "elasticsearch"}),
    tagged("keda", "keda", {NAME: "keda-operator"}),
    tagged("cnpg", "cnpg-system", {NAME: "cloudnative-pg"}),
    tagged("stranger", "elsewhere", {"app": "stranger"}),
    # A namespace is no identity: anybody may call their pods as ours are called.
    tagged("impostor", "elsewhere", {NAME: "bhiv-gateway", COMPONENT: "server", "app.kubernetes.io/part-of": "bhiv"}),
    End("internet", address="198.51.100.7"),
    End("private address", address="10.1.2.3"),
    End("metadata service", address="169.254.169.254"),
]
PLATFORM_PORTS = [22, 53, 80, 443, 4318, 4369, 5432, 5672, 6379, 8000, 8443, 9187, 9200, 15672, 15692, 25672]


def ends(unit):
    """Everybody who may talk or be talked to, by name."""
    namespace = f"bhiv-{unit.environment}"
    found = [
        tagged("postgres", namespace, {"cnpg.io/cluster": "postgres"}),
        tagged("rabbitmq", namespace, {NAME: "rabbitmq", COMPONENT: "rabbitmq", "app.kubernetes.io/part-of": "rabbitmq"}),
        tagged("neighbour", namespace, {"app": "neighbour"}),
    ]
    for workload in unit.all("Deployment", "StatefulSet", "Job"):
        found.append(tagged(name_of(workload), namespace, pod_of(workload)["metadata"]["labels"]))
    return {end.name: end for end in found + OTHERS}


def ports(unit):
    """The port of each service."""
    return {name_of(service): service["spec"]["ports"][0]["port"] for service in unit.all("Service")}


def expected(unit):
    """What DESIGN.md allows, as (who, whom, port)."""
    port = ports(unit)
    edges = set()
    for service in SERVICES:
        for who, broker_port in ((service, 5672), (f"{service}-setup", 15672)):
            edges |= {(who, "dns", 53), (who, "postgres", 5432), (who, "rabbitmq", broker_port)}
        edges |= {(service, "collector", 4318), ("prometheus", service, port[service])}
        if service != "bhiv-gateway":
            edges.add(("bhiv-gateway", service, port[service]))
    edges |= {("ingress", "bhiv-gateway", port["bhiv-gateway"]), ("bhiv-gateway", "redis", 6379)}
    # Webhooks and the keys of an outside issuer; receivers of workflows; the log's copy.
    edges |= {("bhiv-gateway", "internet", 443), ("task", "internet", 443), ("logging", "elasticsearch", 9200)}
    # What the servers are for, and their own.
    edges |= {("prometheus", "postgres", 9187), ("prometheus", "rabbitmq", 15692), ("keda", "rabbitmq", 15672)}
    edges |= {("cnpg", "postgres", 5432), ("cnpg", "postgres", 8000)}
    edges |= {("postgres", "postgres", 5432), ("postgres", "postgres", 8000)}
    edges |= {("rabbitmq", "rabbitmq", 4369), ("rabbitmq", "rabbitmq", 25672)}
    return edges


def differences(unit):
    """Where a policy lets more or less through than it should: at the end that asks, and again at the one that is asked. So
    nothing depends on the other end's being careful."""
    everybody, should = ends(unit), expected(unit)
    tried = sorted(set(PLATFORM_PORTS) | set(ports(unit).values()))
    for key, direction, verb in (("to", "Egress", "may go"), ("from", "Ingress", "may come")):
        for end in everybody.values():
            rules = rules_of(end, direction, unit)
            if rules is None:
                # Servers may ask what they like, and what is outside is not ours to bound.
                if direction == "Ingress" and end.namespace == f"bhiv-{unit.environment}" and end.name != "neighbour":
                    yield f"anybody may ask {end.name}"
                continue
            for other in everybody.values():
                reached = {port for port in tried if any(lets(rule, key, other, port, unit) for rule in rules)}
                who, whom = (end.name, other.name) if direction == "Egress" else (other.name, end.name)
                wanted = {port for port in tried if (who, whom, port) in should}
                for port in sorted(reached - wanted):
                    yield f"{who} {verb} to {whom} on {port}, and need not"
                for port in sorted(wanted - reached):
                    yield f"{who} cannot reach {whom} on {port}: {direction}"


def rules_of(end, direction, unit):
    """What is let through at `end`; None if no policy says anything of it."""
    policies = [policy["spec"] for policy in unit.all("NetworkPolicy") if applies(policy, end, direction, unit)]
    return [rule for spec in policies for rule in spec.get(direction.lower(), [])] if policies else None


def applies(policy, end, direction, unit):
    spec = policy["spec"]
    here = end.namespace == f"bhiv-{unit.environment}"
    return here and direction in spec["policyTypes"] and selects(spec["podSelector"], end.tags)


def lets(rule, key, end, port, unit):
    return port_matches(rule, port) and (key not in rule or any(peer_is(peer, end, unit) for peer in rule[key]))


def port_matches(rule, port):
    wanted = rule.get("ports")
    return wanted is None or any(
        "port" not in entry or entry["port"] <= port <= entry.get("endPort", entry["port"]) for entry in wanted
    )


def peer_is(peer, end, unit):
    if "ipBlock" in peer:
        if not end.address:
            return False
        address = ipaddress.ip_address(end.address)
        inside = [ipaddress.ip_network(cidr) for cidr in [peer["ipBlock"]["cidr"], *peer["ipBlock"].get("except", [])]]
        return address in inside[0] and not any(address in network for network in inside[1:])
    if end.address:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], {NAMESPACE_NAME: end.namespace}):
            return False
    elif end.namespace != f"bhiv-{unit.environment}":
        return False
    return "podSelector" not in peer or selects(peer["podSelector"], end.tags)
