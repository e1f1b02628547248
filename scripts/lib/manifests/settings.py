"""What a service reads from its environment, as it says itself."""

import json
import re
import subprocess
from dataclasses import dataclass

from model import ROOT, SERVICES


@dataclass
class Settings:
    """Of one subcommand: all names, and those that it does not begin without."""

    known: set
    required: set


def read_all(binaries):
    """By service and subcommand."""
    return {
        service: {command: read(f"{binaries}/{service}", command) for command in ("run", "setup")}
        for service in SERVICES
    }


def read(binary, command):
    # Without an environment of our own: names that are set are shown with their values.
    told = subprocess.run([binary, command, "--help"], capture_output=True, text=True, check=True, env={}).stdout
    # Options that are not in brackets: `--database-url <DATABASE_URL>`, which may be in brackets as a whole.
    usage = re.search(r"^Usage: .*$", told, re.MULTILINE)[0]
    needed = set(re.findall(r"(--[a-z-]+) <", usage))
    known, required = set(), set()
    for option in re.split(r"^ +(?=--|-h)", told, flags=re.MULTILINE)[1:]:
        name = re.search(r"\[env: ([A-Z0-9_]+)", option)
        if name:
            known.add(name[1])
            if option.split()[0] in needed:
                required.add(name[1])
    if not known or len(required) != len(needed):
        raise SystemExit(f"{binary} {command} --help is not understood")
    return Settings(known, required)


def topologies():
    """Names of the queues that each service hears, and of its dead letters, by service."""
    found = {}
    for service in SERVICES:
        topology = json.loads((ROOT / f"proto-docs/topology/{service}.json").read_text())
        found[service] = ([queue["name"] for queue in topology["queues"]], topology["dead_letters"])
    return found
