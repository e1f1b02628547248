"""The files of deploy/ that make containers, against rules.py; and each rule against files that break it.

    check.py <checkout> <resolved compose file, JSON> <folder of binaries> <folder of the local stack's environments>
"""

import copy
import json
import pathlib
import re
import subprocess
import sys

import rules


class State:
    """What the rules look at."""

    def __init__(self, checkout, compose, binaries, environments):
        self.compose, self.binaries, self.known = compose, binaries, {}
        files = ["deploy/Dockerfile", ".dockerignore", "deploy/compose.yaml"]
        files += ["deploy/nginx/gateway.conf.template", "deploy/prometheus/prometheus.yml"]
        files += [str(file.relative_to(checkout)) for file in sorted((checkout / "deploy/compose").iterdir())]
        self.texts = {file: (checkout / file).read_text() for file in files}
        self.local = {}
        for file in environments.glob("*.env"):
            self.local[file.stem] = set(re.findall(r"^(\w+)=", file.read_text(), re.M))

    @staticmethod
    def exists(path):
        return pathlib.Path(path).exists()

    def settings(self, binary, command):
        """What the command reads from its environment, and what it cannot do without, by what it says itself."""
        key = (binary, *command)
        if key not in self.known:
            run = [self.binaries / binary, *command, "--help"]
            text = subprocess.run(run, check=True, capture_output=True, text=True, env={}).stdout
            usage = re.search(r"^Usage:.*$", text, re.M)[0]
            by_option = {}
            for option, block in re.findall(r"^\s+(?:-\w, )?(--[\w-]+)(.*?)(?=^\s+(?:-\w, )?--|\Z)", text, re.M | re.S):
                if variable := re.search(r"\[env: (\w+)", block):
                    by_option[option] = variable[1]
            # What must be given stands in the usage line, without brackets.
            required = re.findall(r"--[\w-]+", re.sub(r"\[[^\]]*\]", "", usage))
            self.known[key] = set(by_option.values()), {by_option[option] for option in required if option in by_option}
        return self.known[key]


def faults(state):
    return [fault for rule in rules.ALL for fault in rule(state)]


def drop(service, *keys):
    def change(state):
        place = state.compose["services"][service]
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


def put(service, *keys_and_value):
    *keys, last, value = keys_and_value

    def change(state):
        place = state.compose["services"][service]
        for key in keys:
            place = place.setdefault(key, {})
        place[last] = value

    return change


def text(file, old, new):
    def change(state):
        assert old in state.texts[file], f"{old} is not in {file}"
        state.texts[file] = state.texts[file].replace(old, new)

    return change


def leading_outside(state):
    state.compose["networks"]["crm"]["internal"] = False


# What is broken, and a part of what must be said about it.
BROKEN = [
    (put("redis", "image", "redis:latest"), "names no exact version"),
    (put("crm", "image", "bhiv/task:dev"), "is not the one that is built"),
    (put("crm", "build", "dockerfile", "Dockerfile"), "built by another file"),
    (put("grafana", "ports", [{"published": "3000", "host_ip": "0.0.0.0"}]), "beyond loopback"),
    (put("gateway-2", "environment", "HTTP_ADDR", "0.0.0.0:8005"), "does not listen at 8006"),
    (drop("crm", "deploy", "resources", "limits", "memory"), "without a limit of memory"),
    (drop("postgres", "healthcheck"), "without a health check"),
    (drop("rl", "cap_drop"), "keeps capabilities"),
    (drop("rl", "security_opt"), "may gain privileges"),
    (put("rl", "privileged", True), "shares what is the machine's"),
    (drop("task", "read_only"), "its root can be written to"),
    (drop("nginx", "user"), "runs as root"),
    (put("crm", "cap_add", ["NET_ADMIN"]), "adds capabilities"),
    (put("secrets", "cap_add", ["SYS_ADMIN"]), "more capabilities than it needs"),
    (put("nginx", "volumes", [{"type": "bind", "source": "/no/such", "read_only": True}]), "is not there"),
    (put("redis", "environment", {"REDIS_PASSWORD": "x"}), "stands in the file itself"),
    (text("deploy/compose/servers.yaml", "services:", "# amqp://a:b@c\nservices:"), "a URL with a password"),
    (put("crm", "volumes", [{"type": "volume", "source": "secrets-task", "read_only": True}]), "has secrets of task"),
    (put("crm", "volumes", [{"type": "volume", "source": "secrets-crm"}]), "may write to the secrets"),
    (put("crm", "networks", "task", None), "is in the network of task"),
    (put("redis", "networks", "edge", None), "is in the network of NGINX"),
    (leading_outside, "the network crm leads outside"),
    (drop("crm", "depends_on", "crm-setup"), "crm: does not wait for crm-setup"),
    (drop("nginx", "environment", "TEMP_DIR"), "nginx: TEMP_DIR"),
    (put("gateway-3", "networks", "edge", "ipv4_address", "10.0.0.1"), "does not know gateway-3"),
    (put("gateway-1", "environment", "TRUSTED_PROXIES", "0.0.0.0/0"), "not NGINX alone"),
    (text("deploy/prometheus/prometheus.yml", "crm:8011", "crm:8012"), "does not ask crm where it listens"),
    (put("task", "networks", {}), "prometheus: cannot reach task"),
    (put("crm", "environment", "DATABASE_ULR", "x"), "does not read DATABASE_ULR"),
    (drop("crm", "environment", "AMQP_URL_FILE"), "crm: AMQP_URL is missing"),
    (drop("broker-setup", "environment", "RABBITMQ_ADMIN_URL_FILE"), "RABBITMQ_ADMIN_URL is missing"),
    (drop("logging", "environment", "LOGGING_MASTER_KEY_FILE"), "scripts/up gives it LOGGING_MASTER_KEY_FILE"),
    (text("deploy/Dockerfile", "USER 10001:10001", ""), "without USER"),
    (text("deploy/Dockerfile", "FROM scratch", "FROM debian:12"), "cannot be replaced"),
    (text("deploy/Dockerfile", "rust:1.95-bookworm", "rust:latest"), "base without an exact version"),
    (text("deploy/Dockerfile", " --locked", ""), "not as Cargo.lock says"),
    (text("deploy/Dockerfile", " --workspace", " --package ${SERVICE}"), "not with the features"),
    (text("deploy/Dockerfile", "USER ", "RUN curl x | sh\nUSER "), "something runs in the result"),
    (text(".dockerignore", "\n*\n", "\n"), "lets through what is not named"),
    (text(".dockerignore", "!deploy/services.profdata", ""), "keeps back deploy/services.profdata"),
]


def main(checkout, compose, binaries, environments):
    compose = json.loads(pathlib.Path(compose).read_text())
    state = State(pathlib.Path(checkout), compose, pathlib.Path(binaries), pathlib.Path(environments))
    found = faults(state)
    for fault in found:
        print(fault, file=sys.stderr)
    for change, expected in BROKEN:
        broken = copy.deepcopy(state)
        change(broken)
        if not any(expected in fault for fault in faults(broken) if fault not in found):
            found.append(expected)
            print(f"no rule says '{expected}' of files that break it", file=sys.stderr)
    print(f"{len(compose['services'])} containers, {len(rules.ALL)} rules, each of {len(BROKEN)} breaches is noticed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
