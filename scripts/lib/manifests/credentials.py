"""What scripts/credentials makes for a service, and what its manifests ask for."""

import os
import subprocess
import tempfile
from pathlib import Path

import yaml

from model import ROOT, SERVICES, containers, environment_of, name_of, pod_of

# Where the cluster would be asked: no address of anybody.
ELSEWHERE = {
    "DATABASE_ADMIN_URL": "postgres://postgres:x@postgres-rw:5432/bhiv",
    "DATABASE_READ_HOST": "postgres-ro:5432",
    "RABBITMQ_ADMIN_URL": "http://admin:x@rabbitmq:15672",
    "SCALER_URL": "http://scaler:x@rabbitmq.there:15672/bhiv",
    "REDIS_URL": "redis://:x@redis:6379/0",
}
FILES = [
    "jwks.json",
    "signing-key.pem",
    "compliance-key.pem",
    "compliance-jwks.json",
    "logging-key.pem",
    "logging-master.key",
]


def made_for_all():
    """By service: the (kind, name, key) that are made."""
    with tempfile.TemporaryDirectory() as keys:
        for file in FILES:
            (Path(keys) / file).write_text("a key\n")
        return {service: made_for(service, keys) for service in SERVICES}


def made_for(service, keys):
    command = [ROOT / "scripts/credentials", service, "there", keys]
    made = subprocess.run(command, env=os.environ | ELSEWHERE, capture_output=True, text=True, check=True).stdout
    documents = [document for document in yaml.safe_load_all(made) if document]
    return {(d["kind"], name_of(d), key) for d in documents for key in d["data"]}


def needed(unit):
    """The (kind, name, key) that the manifests take from elsewhere, and those that they can do without."""
    needs, takes = set(), set()
    for workload in unit.all("Deployment", "Job"):
        volumes = {volume["name"]: volume for volume in pod_of(workload)["spec"].get("volumes", [])}
        for container in containers(workload):
            given = environment_of(container, unit)
            for value in given.values():
                if isinstance(value, dict):
                    reference = value["secretKeyRef"]
                    kind = takes if reference.get("optional") else needs
                    kind.add(("Secret", reference["name"], reference["key"]))
            for mount in container.get("volumeMounts", []):
                volume = volumes[mount["name"]]
                is_secret = "secret" in volume
                name = volume["secret"]["secretName"] if is_secret else volume["configMap"]["name"]
                source = ("Secret" if is_secret else "ConfigMap", name)
                for setting, value in given.items():
                    if setting.endswith("_FILE") and value.rpartition("/")[0] == mount["mountPath"]:
                        needs.add((*source, value.rpartition("/")[2]))
    for authentication in unit.all("TriggerAuthentication"):
        for reference in authentication["spec"]["secretTargetRef"]:
            needs.add(("Secret", reference["name"], reference["key"]))
    return needs, takes
