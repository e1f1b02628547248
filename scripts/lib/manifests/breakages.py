"""What somebody could break, and the rule that has to say so."""

from dataclasses import dataclass
from typing import Callable

import rules
from model import containers, name_of, pod_of

CRM, LOGGING, GATEWAY = "services/crm", "services/logging", "services/bhiv-gateway"
PROD = "overlays/prod + platform"


@dataclass
class Breakage:
    """`break_it` changes the copy of a unit so that `rule` is violated."""

    rule: str
    what: str
    folder: str
    break_it: Callable


BREAKAGES = []


def breaks(rule, folder=CRM):
    def register(function):
        BREAKAGES.append(Breakage(rule, function.__name__.replace("_", " "), folder, function))
        return function

    return register


def prove(units, context):
    """Breakages that no rule noticed, rules that nothing breaks, and what fails unbroken."""
    by_folder = {unit.folder: unit for unit in units}
    failed = []
    for breakage in BREAKAGES:
        rule = next(rule for rule in rules.RULES if rule.name == breakage.rule)
        broken = by_folder[breakage.folder].copy()
        breakage.break_it(broken)
        if not list(rule.violations(broken, context)):
            failed.append(f"the rule '{rule.name}' does not notice: {breakage.what}")
    never = {rule.name for rule in rules.RULES} - {breakage.rule for breakage in BREAKAGES}
    return failed + [f"nothing shows that the rule '{name}' can fail" for name in sorted(never)]


def server(unit, name="crm"):
    return containers(unit.one("Deployment", name))[0]


def pod(unit, name="crm"):
    return pod_of(unit.one("Deployment", name))["spec"]


def remove(unit, kind, name):
    unit.documents = [d for d in unit.documents if (d["kind"], name_of(d)) != (kind, name)]


def egress(unit, name="crm"):
    return unit.one("NetworkPolicy", name)["spec"]["egress"]
