"""Whether documents are what Kubernetes, and the operators whose kinds are used, would take."""

import functools
import json

import jsonschema
import kubernetes_validate
import kubernetes_validate.utils
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus

from model import title

# The oldest one that has everything that is used (a pause before SIGTERM without a shell), and the newest one known.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]

# It reads two megabytes anew for every document.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)

# Models that are made from the operators' own definitions.
MODELS = {
    "ScaledObject": keda.ScaledObject,
    "TriggerAuthentication": keda.TriggerAuthentication,
    "ServiceMonitor": prometheus.ServiceMonitor,
    "PodMonitor": prometheus.PodMonitor,
    "PrometheusRule": prometheus.PrometheusRule,
}


def fields(required=(), **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT, COUNT, FLAG = {"type": "string"}, {"type": "integer", "minimum": 1}, {"type": "boolean"}
ANYTHING = {"type": "object"}
QUANTITIES = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}
RESOURCES = fields(["requests", "limits"], requests=QUANTITIES, limits=QUANTITIES)
SIZE = fields(["size"], size=TEXT)

# No package has those of these two. Not theirs, but the fields that are used here: a slip of the pen is found, and whether
# the operator would take it all is not.
OWN = {
    "Cluster": fields(
        ["instances", "imageName", "storage"],
        instances=COUNT,
        imageName=TEXT,
        enableSuperuserAccess=FLAG,
        bootstrap=fields(
            ["initdb"],
            initdb=fields(
                ["database", "owner"],
                database=TEXT,
                owner=TEXT,
                encoding=TEXT,
                localeCollate=TEXT,
                localeCType=TEXT,
                dataChecksums=FLAG,
            ),
        ),
        postgresql=fields(
            synchronous=fields(
                ["method", "number"],
                method={"enum": ["any", "first"]},
                number=COUNT,
                dataDurability={"enum": ["required", "preferred"]},
            ),
            parameters={"type": "object", "additionalProperties": TEXT},
        ),
        storage=SIZE,
        walStorage=SIZE,
        resources=RESOURCES,
        affinity=fields(
            enablePodAntiAffinity=FLAG,
            topologyKey=TEXT,
            podAntiAffinityType={"enum": ["preferred", "required"]},
        ),
    ),
    "RabbitmqCluster": fields(
        ["replicas", "persistence"],
        replicas=COUNT,
        image=TEXT,
        persistence=fields(["storage"], storage=TEXT),
        resources=RESOURCES,
        rabbitmq=fields(additionalConfig=TEXT),
        affinity=ANYTHING,
    ),
}


def faults(document):
    """What is wrong with a document."""
    kind = document["kind"]
    if kind in MODELS:
        yield from model_faults(document, MODELS[kind])
    elif kind in OWN:
        for error in jsonschema.Draft202012Validator(OWN[kind]).iter_errors(document["spec"]):
            yield f"{error.json_path}: {error.message}"
    else:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}"
            except kubernetes_validate.SchemaNotFoundError:
                yield f"Kubernetes {version} does not know {document['apiVersion']} {kind}"


def model_faults(document, model):
    try:
        taken = model.model_validate(document).model_dump(mode="json", by_alias=True, exclude_none=True)
    except ValueError as error:
        yield str(error).replace("\n", "; ")
        return
    # A model leaves out what it does not know.
    yield from lost(document, taken, "$")


def lost(given, taken, path):
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(taken, dict) or key not in taken:
                yield f"{path}.{key} is not known"
            else:
                yield from lost(value, taken[key], f"{path}.{key}")
    elif isinstance(given, list):
        for index, value in enumerate(given):
            yield from lost(value, taken[index], f"{path}[{index}]")


def check(units):
    """How many documents were looked at, of which kinds, and all faults. Equal documents are looked at once."""
    seen, found = {}, []
    for unit in units:
        for document in unit.documents:
            text = json.dumps(document, sort_keys=True)
            if text in seen:
                continue
            seen[text] = document["kind"]
            found += [f"k8s/{unit.folder}: {title(document)}: {fault}" for fault in faults(document)]
    return seen.values(), found
