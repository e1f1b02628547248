"""See run."""

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass

import alerts
import breakages
import breakages_service  # noqa: F401  each registers what it breaks
import breakages_whole  # noqa: F401
import credentials
import rules
import schemas
import settings
from model import ENVIRONMENTS, Unit, render_all


@dataclass
class Context:
    """What the manifests are compared with."""

    units: dict
    settings: dict
    topologies: dict
    credentials: dict
    # Connections of a process that is not told how many.
    default_pool: int = 24


def wholes(units):
    """Each environment with its platform."""
    for environment in ENVIRONMENTS:
        folder = f"overlays/{environment}"
        yield Unit(f"{folder} + platform", units[folder].documents + units[f"{folder}/platform"].documents)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kubectl", required=True)
    options.add_argument("--binaries", required=True)
    options.add_argument("--rules", action="store_true")
    options.add_argument("--update", action="store_true")
    options = options.parse_args()
    if options.rules:
        for rule in rules.RULES:
            print(f"{rule.name:15}{rule.says}")
        return
    if options.update:
        alerts.update()
    began = time.monotonic()
    units = render_all(options.kubectl)
    kinds, wrong = schemas.check(units.values())
    context = Context(units, settings.read_all(options.binaries), settings.topologies(), credentials.made_for_all())
    looked_at = [*units.values(), *wholes(units)]
    wrong += [f"{sentence} (rule: {name})" for name, sentence in rules.check(looked_at, context)]
    if wrong:
        sys.exit("\n".join(wrong))
    own = sum(count for kind, count in Counter(kinds).items() if kind in schemas.OWN)
    print(f"{len(units)} folders rendered, {len(kinds)} documents against Kubernetes {' and '.join(schemas.VERSIONS)}")
    print(f"not against their operators' schemas, but for the names of fields: {own} of {' and '.join(schemas.OWN)}")
    failed = breakages.prove(looked_at, context)
    if failed:
        sys.exit("\n".join(failed))
    print(f"{len(rules.RULES)} rules hold, and each was shown to fail: {len(breakages.BREAKAGES)} breakages found")
    print(f"none of it was applied to a cluster ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main()
