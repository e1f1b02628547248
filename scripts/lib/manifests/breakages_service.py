"""What somebody could break in one service."""

from breakages import GATEWAY, LOGGING, breaks, pod, remove, server
from model import containers


@breaks("named")
def an_image_without_a_version(unit):
    server(unit)["image"] = "ghcr.io/bhiv/crm"


@breaks("named")
def a_placeholder_is_left(unit):
    unit.one("PodDisruptionBudget", "crm")["metadata"]["name"] = "SERVICE"


@breaks("probes")
def no_readiness(unit):
    del server(unit)["readinessProbe"]


@breaks("probes")
def live_when_ready(unit):
    server(unit)["livenessProbe"]["httpGet"]["path"] = "/health/ready"


@breaks("probes")
def it_listens_elsewhere(unit):
    server(unit)["ports"][0]["containerPort"] = 8080


@breaks("resources")
def a_large_request(unit):
    server(unit)["resources"]["requests"]["cpu"] = "2"


@breaks("resources")
def no_limit(unit):
    del server(unit)["resources"]["limits"]["memory"]


@breaks("rollout")
def an_old_one_goes_first(unit):
    unit.one("Deployment", "crm")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] = 1


@breaks("rollout")
def no_pause_before_the_end(unit):
    del server(unit)["lifecycle"]


@breaks("rollout")
def killed_while_it_drains(unit):
    pod(unit)["terminationGracePeriodSeconds"] = 30


@breaks("restricted")
def a_writable_image(unit):
    server(unit)["securityContext"]["readOnlyRootFilesystem"] = False


@breaks("restricted")
def root(unit):
    del pod(unit)["securityContext"]["runAsNonRoot"]


@breaks("restricted")
def one_capability(unit):
    server(unit)["securityContext"]["capabilities"]["add"] = ["NET_ADMIN"]


@breaks("restricted")
def a_token(unit):
    unit.one("ServiceAccount", "crm")["automountServiceAccountToken"] = True


@breaks("one scaler")
def a_second_owner(unit):
    target = {"spec": {"scaleTargetRef": {"name": "crm"}}}
    unit.documents.append({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "other"}} | target)


@breaks("one scaler")
def an_apply_sets_it_back(unit):
    unit.one("Deployment", "crm")["spec"]["replicas"] = 2


@breaks("one scaler")
def nobody_scales(unit):
    remove(unit, "ScaledObject", "crm")


@breaks("replicas", GATEWAY)
def a_small_gateway(unit):
    unit.one("HorizontalPodAutoscaler", "bhiv-gateway")["spec"]["minReplicas"] = 2


@breaks("replicas")
def a_single_one(unit):
    unit.one("ScaledObject", "crm")["spec"]["minReplicaCount"] = 1


@breaks("disruption")
def no_budget(unit):
    remove(unit, "PodDisruptionBudget", "crm")


@breaks("disruption")
def a_budget_of_others(unit):
    unit.one("PodDisruptionBudget", "crm")["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] = "setup"


@breaks("spread")
def all_on_one_node(unit):
    pod(unit)["topologySpreadConstraints"].pop()


@breaks("setup")
def no_setup(unit):
    remove(unit, "Job", "crm-setup")


@breaks("setup")
def a_setup_of_another_version(unit):
    containers(unit.one("Job", "crm-setup"))[0]["image"] = "ghcr.io/bhiv/crm:0.0.9"


@breaks("setup")
def the_service_knows_administrators(unit):
    secret = {"name": "crm-setup", "key": "DATABASE_ADMIN_URL"}
    server(unit)["env"].append({"name": "DATABASE_ADMIN_URL", "valueFrom": {"secretKeyRef": secret}})


@breaks("setup")
def no_hook(unit):
    del unit.one("Job", "crm-setup")["metadata"]["annotations"]


@breaks("secrets")
def a_password_in_plain_text(unit):
    server(unit)["env"][1] = {"name": "DATABASE_URL", "value": "postgres://crm:geheim@postgres-rw/bhiv"}


@breaks("secrets")
def a_secret_among_the_manifests(unit):
    unit.documents.append({"kind": "Secret", "metadata": {"name": "crm-credentials"}})


@breaks("secrets")
def somebody_elses_secret(unit):
    server(unit)["env"][1]["valueFrom"]["secretKeyRef"]["name"] = "task-credentials"


@breaks("credentials")
def a_key_that_nobody_makes(unit):
    server(unit)["env"][1]["valueFrom"]["secretKeyRef"]["key"] = "URL"


@breaks("credentials", LOGGING)
def a_key_that_nobody_takes(unit):
    server(unit, "logging")["env"] = [e for e in server(unit, "logging")["env"] if e["name"] != "LOGGING_MASTER_KEY_FILE"]


@breaks("settings")
def a_name_that_nobody_reads(unit):
    server(unit)["env"].append({"name": "DATABASE_CONECTIONS", "value": "8"})


@breaks("settings")
def a_setting_is_missing(unit):
    server(unit)["env"] = [entry for entry in server(unit)["env"] if entry["name"] != "AMQP_URL"]


@breaks("settings", GATEWAY)
def what_it_needs_is_optional(unit):
    redis = next(entry for entry in server(unit, "bhiv-gateway")["env"] if entry["name"] == "REDIS_URL")
    redis["valueFrom"]["secretKeyRef"]["optional"] = True


@breaks("files")
def keys_that_never_change(unit):
    server(unit)["volumeMounts"][0]["subPath"] = "jwks.json"


@breaks("files", LOGGING)
def a_key_for_everybody(unit):
    volume = next(v for v in pod(unit, "logging")["volumes"] if "secret" in v)
    volume["secret"]["defaultMode"] = 0o444


@breaks("files", GATEWAY)
def a_key_that_is_not_mounted(unit):
    server(unit, "bhiv-gateway")["volumeMounts"].pop()


@breaks("queues")
def somebody_elses_queues(unit):
    unit.one("ScaledObject", "crm")["spec"]["triggers"][1]["metadata"]["queueName"] = r"q[.]crm"


@breaks("queues")
def dead_letters_are_work(unit):
    unit.one("ScaledObject", "crm")["spec"]["triggers"][1]["metadata"]["queueName"] = "^crm[.]"


@breaks("queues")
def one_queue_of_four(unit):
    metadata = unit.one("ScaledObject", "crm")["spec"]["triggers"][1]["metadata"]
    metadata |= {"queueName": "crm.q.task", "useRegex": "false"}


@breaks("reached")
def requests_go_to_a_setup(unit):
    del unit.one("Service", "crm")["spec"]["selector"]["app.kubernetes.io/component"]


@breaks("monitored")
def another_job(unit):
    del unit.one("ServiceMonitor", "crm")["spec"]["jobLabel"]
