"""Rules for each service by itself."""

import re

import credentials
from model import (
    COMPONENT, NAME, containers, environment_of, labels, mebibytes, millicores, name_of, pod_of, references, selects, title,
)

# What README.md promises: from SIGTERM to the end, in seconds.
DRAIN = 30
# deploy/Dockerfile's user.
USER = 10001


def named(unit, _):
    for document in unit.documents:
        if re.search(r"SERVICE|PORT\b|'(port|containerPort)': 0\b", str(document)):
            yield f"{title(document)} has a placeholder left"
    for workload in unit.all("Deployment", "Job", "StatefulSet"):
        for container in containers(workload):
            _, _, version = container["image"].rpartition("/")[2].partition(":")
            if version in ("", "latest"):
                yield f"{title(workload)} takes any version of {container['image']}"


def probes(unit, _):
    for deployment in unit.all("Deployment"):
        server = containers(deployment)[0]
        for probe, path in (("startupProbe", "live"), ("livenessProbe", "live"), ("readinessProbe", "ready")):
            asked = server.get(probe, {}).get("httpGet", {})
            if asked != {"path": f"/health/{path}", "port": "http"}:
                yield f"{title(deployment)} asks {asked or 'nothing'} as {probe}"
        start = server.get("startupProbe", {})
        if start.get("periodSeconds", 10) * start.get("failureThreshold", 3) < 30:
            yield f"{title(deployment)} has less than 30 s to begin"
        port = next((port["containerPort"] for port in server["ports"] if port["name"] == "http"), None)
        if environment_of(server, unit).get("HTTP_ADDR") != f"0.0.0.0:{port}":
            yield f"{title(deployment)} does not listen on its port {port}"


def resources(unit, _):
    for workload in unit.all("Deployment", "Job"):
        for container in containers(workload):
            given = container.get("resources", {})
            requests, limits = given.get("requests", {}), given.get("limits", {})
            if {"cpu", "memory"} - requests.keys() or {"cpu", "memory"} - limits.keys():
                yield f"{title(workload)} has no bound"
                continue
            if millicores(requests["cpu"]) > 500 or mebibytes(requests["memory"]) > 512:
                yield f"{title(workload)} requests {requests}"
            if not 2000 <= millicores(limits["cpu"]) <= 4000 or not 2048 <= mebibytes(limits["memory"]) <= 4096:
                yield f"{title(workload)} has the limits {limits}"


def rollout(unit, _):
    for deployment in unit.all("Deployment"):
        strategy = deployment["spec"].get("strategy", {})
        rolling = strategy.get("rollingUpdate", {})
        if strategy.get("type") != "RollingUpdate" or rolling.get("maxUnavailable") != 0 or rolling.get("maxSurge") != 1:
            yield f"{title(deployment)} is replaced by {strategy}"
        pod = pod_of(deployment)["spec"]
        pause = containers(deployment)[0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pause < 3:
            yield f"{title(deployment)} stops listening before nodes know it"
        if pod.get("terminationGracePeriodSeconds", 30) < pause + DRAIN + 5:
            yield f"{title(deployment)} is killed while it drains"


def restricted(unit, _):
    for workload in unit.all("Deployment", "Job", "StatefulSet"):
        pod = pod_of(workload)["spec"]
        whole = pod.get("securityContext", {})
        if whole.get("runAsNonRoot") is not True or whole.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{title(workload)} may be root, or call the kernel as it likes"
        if workload["kind"] != "StatefulSet" and whole.get("runAsUser") != USER:
            yield f"{title(workload)} runs as another user than the image's {USER}"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{title(workload)} gets a token"
        if any(pod.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{title(workload)} is in the node's own namespaces"
        if any("hostPath" in volume for volume in pod.get("volumes", [])):
            yield f"{title(workload)} mounts a folder of the node"
        for container in containers(workload):
            locked = container.get("securityContext", {})
            wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
            if any(locked.get(key) is not value for key, value in wanted.items()) or locked.get("privileged"):
                yield f"{title(workload)} may write its image, or gain rights"
            if locked.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{title(workload)} keeps capabilities"
        account = unit.one("ServiceAccount", pod.get("serviceAccountName"))
        if not account or account.get("automountServiceAccountToken") is not False:
            yield f"{title(workload)} has no account of its own without a token"
    for grant in unit.all("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"):
        yield f"{title(grant)}: services need no rights at the API server"


def one_scaler(unit, _):
    for deployment in unit.all("Deployment"):
        owners = [
            title(scaler)
            for scaler in unit.all("HorizontalPodAutoscaler", "ScaledObject")
            if scaler["spec"]["scaleTargetRef"]["name"] == name_of(deployment)
        ]
        if "replicas" in deployment["spec"]:
            owners.append("the manifest itself")
        if len(owners) != 1:
            yield f"the replicas of {name_of(deployment)} are decided by {' and '.join(owners) or 'nobody'}"


def replicas(unit, _):
    for scaler in unit.all("HorizontalPodAutoscaler"):
        bounds = scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]
        if unit.environment in (None, "prod") and bounds != (3, 10):
            yield f"{name_of(scaler)} has {bounds[0]} to {bounds[1]} replicas"
        elif unit.environment != "dev" and bounds[0] < 3:
            yield f"{name_of(scaler)} may have {bounds[0]} replicas"
    for scaler in unit.all("ScaledObject"):
        least = scaler["spec"].get("minReplicaCount", 0)
        if least < (1 if unit.environment == "dev" else 2):
            yield f"{name_of(scaler)} may have {least} replicas"


def disruption(unit, _):
    for deployment in unit.all("Deployment"):
        of = pod_of(deployment)["metadata"]["labels"]
        budgets = [b["spec"] for b in unit.all("PodDisruptionBudget") if selects(b["spec"]["selector"], of)]
        if len(budgets) != 1 or budgets[0].get("maxUnavailable") != 1:
            yield f"{title(deployment)} has {len(budgets)} budgets, or one that lets more than one pod go at once"


def spread(unit, _):
    for deployment in unit.all("Deployment"):
        pod = pod_of(deployment)
        over = {
            constraint["topologyKey"]
            for constraint in pod["spec"].get("topologySpreadConstraints", [])
            if selects(constraint.get("labelSelector"), pod["metadata"]["labels"])
        }
        if over != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
            yield f"{title(deployment)} is spread over {', '.join(sorted(over)) or 'nothing'}"


ADMINISTRATORS = {"DATABASE_ADMIN_URL", "RABBITMQ_ADMIN_URL"}


def setup(unit, _):
    for deployment in unit.all("Deployment"):
        jobs = [job for job in unit.all("Job") if labels(job)[NAME] == name_of(deployment)]
        if [containers(job)[0].get("args") for job in jobs] != [["setup"]]:
            yield f"{title(deployment)} is not set up by one Job"
            continue
        job, server = jobs[0], containers(deployment)[0]
        if containers(job)[0]["image"] != server["image"]:
            yield f"{title(job)} is of another version than the service"
        if server.get("args") != ["run"]:
            yield f"{title(deployment)} does not run the service"
        if ADMINISTRATORS & environment_of(server, unit).keys():
            yield f"{title(deployment)} knows administrators' credentials"
        shared = {name for _, name in references(job)} - {f"{name_of(deployment)}-credentials"}
        if shared & {name for _, name in references(deployment)}:
            yield f"{title(deployment)} has the Secret of its setup"
        hooks = job["metadata"].get("annotations", {})
        if hooks.get("argocd.argoproj.io/hook") != "Sync" or hooks.get("kustomize.toolkit.fluxcd.io/force") != "enabled":
            yield f"{title(job)} is no hook of the rollout"
        # What it stands on has to be there before it.
        for kind, name in (("ServiceAccount", name_of(deployment)), ("NetworkPolicy", name_of(job))):
            base = unit.one(kind, name) or {"metadata": {}}
            wave = base["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")
            if int(wave) >= int(hooks.get("argocd.argoproj.io/sync-wave", "0")):
                yield f"{kind} {name} comes after the Job that needs it"


def secrets(unit, _):
    for secret in unit.all("Secret"):
        yield f"{title(secret)} is in the manifests"
    hidden = re.compile(r"PASSWORD|SECRET|API_KEY|TOKEN$|^DATABASE_.*URL$|^AMQP_URL$|^REDIS_URL$|ADMIN_URL$")
    for workload in unit.all("Deployment", "Job", "StatefulSet"):
        for container in containers(workload):
            for name, value in environment_of(container, unit).items():
                if isinstance(value, str) and (hidden.search(name) or re.search(r"//[^/]*:[^/]*@", value)):
                    yield f"{title(workload)} has {name} in plain text"
        for kind, name in references(workload) if workload["kind"] != "StatefulSet" else ():
            if not name.startswith(f"{labels(workload)[NAME]}-"):
                yield f"{title(workload)} takes the {kind} {name}, which is not its own"


def made(unit, context):
    needs, takes = credentials.needed(unit)
    there = {entry for deployment in unit.all("Deployment") for entry in context.credentials[name_of(deployment)]}
    for kind, name, key in sorted(needs - there):
        yield f"nobody makes {key} of the {kind} {name}"
    for kind, name, key in sorted(there - needs - takes):
        yield f"nobody takes {key} of the {kind} {name}"


def settings(unit, context):
    for workload in unit.all("Deployment", "Job"):
        container = containers(workload)[0]
        reads = context.settings[labels(workload)[NAME]][container["args"][0]]
        given = environment_of(container, unit)
        for name in sorted(given.keys() - reads.known):
            yield f"{title(workload)} is given {name}, which it does not read"
        surely = {n for n, v in given.items() if isinstance(v, str) or not v["secretKeyRef"].get("optional")}
        for name in sorted(reads.required - surely):
            yield f"{title(workload)} is not given {name}, and does not begin without it"


def files(unit, _):
    for deployment in unit.all("Deployment"):
        server, volumes = containers(deployment)[0], pod_of(deployment)["spec"].get("volumes", [])
        for name, value in environment_of(server, unit).items():
            if not name.endswith("_FILE"):
                continue
            mount = next((m for m in server["volumeMounts"] if value.rpartition("/")[0] == m["mountPath"]), None)
            if not mount or not mount.get("readOnly") or "subPath" in mount:
                yield f"{title(deployment)}: {name} is not in a folder that is mounted to be read"
                continue
            volume = next(v for v in volumes if v["name"] == mount["name"])
            is_public = name == "AUTH_JWKS_FILE"
            if ("configMap" if is_public else "secret") not in volume:
                yield f"{title(deployment)}: {name} comes from {volume}"
            elif not is_public and volume["secret"].get("defaultMode", 0o644) & 0o007:
                yield f"{title(deployment)}: anybody in the pod may read {name}"


def queues(unit, context):
    every = {name: service for service, (names, _) in context.topologies.items() for name in names}
    dead = {dead for _, dead in context.topologies.values()}
    for scaler in unit.all("ScaledObject"):
        own = {name for name, service in every.items() if service == name_of(scaler)}
        triggers = [trigger["metadata"] for trigger in scaler["spec"]["triggers"] if trigger["type"] == "rabbitmq"]
        counted = set()
        for trigger in triggers:
            is_pattern, wanted = trigger.get("useRegex") == "true", trigger["queueName"]
            matches = re.compile(wanted).search if is_pattern else wanted.__eq__
            counted |= {name for name in every.keys() | dead if matches(name)}
            # Regular expressions are asked of the management API, which AMQP has no part in.
            if trigger.get("protocol") != "http" or trigger.get("mode") != "QueueLength":
                yield f"{title(scaler)} does not ask the management API for lengths"
        if counted != own:
            yield f"{title(scaler)} misses {sorted(own - counted)} and counts {sorted(counted - own)}"
        if not any(trigger["type"] == "cpu" for trigger in scaler["spec"]["triggers"]):
            yield f"{title(scaler)} does not grow with requests"


def reached(unit, _):
    for service in unit.all("Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        workloads = unit.all("Deployment", "StatefulSet", "Job")
        pods = [w for w in workloads if selects(selector, pod_of(w)["metadata"]["labels"])]
        if [name_of(pod) for pod in pods] != [name_of(service)] or pods[0]["kind"] == "Job":
            yield f"{title(service)} leads to {', '.join(map(title, pods)) or 'nothing'}"
    for deployment in unit.all("Deployment"):
        selector = deployment["spec"]["selector"]
        own = selects(selector, pod_of(deployment)["metadata"]["labels"])
        if not own or selector["matchLabels"].get(COMPONENT) != "server":
            yield f"{title(deployment)} does not know its own pods"


def monitored(unit, _):
    for service in unit.all("Service"):
        if not unit.one("Deployment", name_of(service)):
            continue
        monitors = [m["spec"] for m in unit.all("ServiceMonitor") if selects(m["spec"]["selector"], labels(service))]
        asks = [(m.get("jobLabel"), e.get("port"), e.get("path")) for m in monitors for e in m["endpoints"]]
        if asks != [(NAME, "http", "/metrics")] or labels(service)[NAME] != name_of(service):
            yield f"{title(service)} is scraped as {asks}"
