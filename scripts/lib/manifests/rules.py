"""What has to hold. Each rule looks at one unit (what one apply applies) and says what violates it."""

from dataclasses import dataclass
from typing import Callable

import rules_service as service
import rules_whole as whole


@dataclass
class Rule:
    """One line of the table."""

    name: str
    says: str
    violations: Callable
    # service: every folder with services in it. whole: an environment with all services and its platform.
    scope: str = "service"


RULES = [
    Rule("named", "nothing of the shape's placeholders is left, and an image has a version", service.named),
    Rule("probes", "live and ready are asked at the service's own paths and port, and a start has its time", service.probes),
    Rule("resources", "small requests; 2 to 4 CPU and 2 to 4 GiB at most", service.resources),
    Rule("rollout", "the new one is ready before an old one goes, and an old one has the time to drain", service.rollout),
    Rule(
        "restricted",
        "no root, no capability, no writable image, no token: pod security `restricted` and more",
        service.restricted,
    ),
    Rule("one scaler", "one thing alone decides how many replicas there are: not two, and not an apply", service.one_scaler),
    Rule("replicas", "the gateway has 3 to 10; others two at least, but for dev", service.replicas),
    Rule("disruption", "a drain takes one pod after the other", service.disruption),
    Rule("spread", "replicas are spread over zones and nodes", service.spread),
    Rule(
        "setup",
        "one Job sets up, in the same version, before the rollout; only it has administrators' credentials",
        service.setup,
    ),
    Rule("secrets", "secrets come by reference, and none is in the manifests", service.secrets),
    Rule("credentials", "scripts/credentials makes what the manifests take from elsewhere, and no more", service.made),
    Rule(
        "settings",
        "every name in an environment is one that the service reads, and all that it needs is given",
        service.settings,
    ),
    Rule(
        "files",
        "every file that a setting names is in a mounted folder that is only read, and follows its source",
        service.files,
    ),
    Rule("queues", "a service scales on all of its queues in proto-docs/topology, and on nobody else's", service.queues),
    Rule("reached", "a Service leads to its own running pods, never to a setup", service.reached),
    Rule("monitored", "Prometheus finds the service, under its own name", service.monitored),
    Rule("alone", "a service applied alone is what it is among all", whole.alone, "whole"),
    Rule("nothing shared", "no two services share a Secret, ConfigMap, account or pod", whole.nothing_shared, "whole"),
    Rule(
        "namespace",
        "everything is in the environment's own namespace, which takes nothing less than restricted",
        whole.namespace,
        "whole",
    ),
    Rule("network", "who may talk to whom is what DESIGN.md says, and nothing else", whole.network, "whole"),
    Rule(
        "connections",
        "PostgreSQL takes as many connections as all replicas open, in the middle of a rollout",
        whole.connections,
        "whole",
    ),
    Rule("modules", "the gateway's URLs of modules are Services that are there", whole.modules, "whole"),
    Rule(
        "quorum",
        "but for dev, a commit and a message are on more than one machine; no pooler parts a session",
        whole.quorum,
        "whole",
    ),
    Rule("alerts", "Prometheus has the alerts of deploy/prometheus, all and as they are", whole.alerts, "whole"),
    Rule(
        "door",
        "clients come by TLS to the gateway; streams are not buffered, and uploads as large as it takes",
        whole.door,
        "whole",
    ),
]


def check(units, context):
    """All violations, as (rule, sentence)."""
    for rule in RULES:
        for unit in units:
            if rule.scope == scope_of(unit):
                for violation in rule.violations(unit, context):
                    yield rule.name, f"k8s/{unit.folder}: {violation}"


def scope_of(unit):
    """The wholes are put together in check.py; platform pieces have no rules of their own."""
    if unit.folder.endswith(" + platform"):
        return "whole"
    return "service" if unit.all("Deployment") else "none"
