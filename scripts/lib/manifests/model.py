"""Rendered manifests, and how to find one's way in them."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
SERVICES = ["crm", "logistics", "task", "compliance", "rl", "logging", "bhiv-gateway"]
ENVIRONMENTS = ["dev", "qa", "prod"]
PLATFORM = ["namespace", "postgres", "rabbitmq", "redis", "ingress", "monitoring", "managed"]
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"


class Unit:
    """What one `kubectl apply -k` applies: `folder`, and its documents."""

    def __init__(self, folder, documents):
        self.folder = folder
        self.documents = documents

    def all(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]

    def one(self, kind, name):
        return next((d for d in self.all(kind) if name_of(d) == name), None)

    @property
    def environment(self):
        """dev, qa or prod; None for a base."""
        parts = self.folder.split(" ")[0].split("/")
        return parts[1] if parts[0] == "overlays" else None

    def copy(self):
        return Unit(self.folder, json.loads(json.dumps(self.documents)))


def render_all(kubectl):
    """Every folder that somebody may apply, by its path below k8s/."""
    folders = [f"services/{service}" for service in SERVICES]
    folders += [f"platform/{piece}" for piece in PLATFORM]
    for environment in ENVIRONMENTS:
        folders += [f"overlays/{environment}", f"overlays/{environment}/platform"]
        folders += [f"overlays/{environment}/{service}" for service in SERVICES]
    found = {str(file.parent.relative_to(ROOT / "k8s")) for file in (ROOT / "k8s").rglob("kustomization.yaml")}
    unknown = {folder for folder in found - set(folders) if not folder.startswith("components/")}
    unknown -= {f"overlays/{environment}/environment" for environment in ENVIRONMENTS}
    if unknown:
        raise SystemExit(f"k8s/ has folders that nothing here checks: {', '.join(sorted(unknown))}")
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(folders, pool.map(lambda folder: render(kubectl, folder), folders)))


def render(kubectl, folder):
    result = subprocess.run([kubectl, "kustomize", f"k8s/{folder}"], cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"k8s/{folder} cannot be rendered:\n{result.stderr}")
    return Unit(folder, [document for document in yaml.safe_load_all(result.stdout) if document])


def name_of(document):
    return document["metadata"]["name"]


def title(document):
    return f"{document['kind']} {name_of(document)}"


def labels(document):
    return document["metadata"].get("labels", {})


def service_of(document):
    """Which service a document belongs to, by its label; None for what belongs to none."""
    name = labels(document).get(NAME)
    return name if name in SERVICES else None


def pod_of(document):
    """The pod template of a workload."""
    return document["spec"]["template"]


def containers(document):
    pod = pod_of(document)["spec"]
    return pod.get("initContainers", []) + pod["containers"]


def selects(selector, of):
    """Whether a label selector selects what has the labels `of`."""
    if selector is None:
        return False
    if any(of.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for wanted in selector.get("matchExpressions", []):
        value, values = of.get(wanted["key"]), wanted.get("values", [])
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[wanted["operator"]]
        if not holds:
            return False
    return True


def environment_of(container, unit):
    """What a container gets: each name, with its value, or the Secret's key that it comes from."""
    given = {}
    for source in container.get("envFrom", []):
        settings = unit.one("ConfigMap", source.get("configMapRef", {}).get("name"))
        given.update(settings["data"] if settings else {})
    for entry in container.get("env", []):
        given[entry["name"]] = entry.get("value", entry.get("valueFrom"))
    return given


def references(document):
    """Names of Secrets and ConfigMaps that a workload or a TriggerAuthentication needs, with the kind."""
    found = set()
    if document["kind"] == "TriggerAuthentication":
        return {("Secret", reference["name"]) for reference in document["spec"].get("secretTargetRef", [])}
    for container in containers(document):
        for entry in container.get("env", []):
            source = entry.get("valueFrom", {})
            if "secretKeyRef" in source:
                found.add(("Secret", source["secretKeyRef"]["name"]))
            if "configMapKeyRef" in source:
                found.add(("ConfigMap", source["configMapKeyRef"]["name"]))
        for source in container.get("envFrom", []):
            for kind, key in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
                if key in source:
                    found.add((kind, source[key]["name"]))
    for volume in pod_of(document)["spec"].get("volumes", []):
        if "secret" in volume:
            found.add(("Secret", volume["secret"]["secretName"]))
        if "configMap" in volume:
            found.add(("ConfigMap", volume["configMap"]["name"]))
    return found


def millicores(quantity):
    quantity = str(quantity)
    return int(quantity[:-1]) if quantity.endswith("m") else int(float(quantity) * 1000)


def mebibytes(quantity):
    quantity = str(quantity)
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]
