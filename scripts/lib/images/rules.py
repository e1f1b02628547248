"""What has to hold for the containers of deploy/. Each rule is a function that yields what is wrong."""

import re

MODULES = ["crm", "logistics", "task", "compliance", "rl", "logging"]
GATEWAYS = ["gateway-1", "gateway-2", "gateway-3"]
# Of its container nothing could ask: the image is one binary without such a command.
WITHOUT_HEALTHCHECK = {"otel-collector"}
# As root, with three capabilities: to give each secret to its reader.
AS_ROOT = {"secrets", "elasticsearch-setup"}
# These write into more places than their volumes.
MAY_WRITE = {"rabbitmq", "elasticsearch", "kibana"}
# Where ports are published.
OPEN_NETWORKS = {"edge", "operators"}
# Whom a module may meet in its network, beside its own setup and the gateways.
SERVERS = {"postgres", "rabbitmq", "otel-collector", "prometheus"}
# What the local stack gives, and a deployment does not: loopback, and no load balancer that has to take note.
LOCAL_ONLY = {"WEBHOOK_ALLOW_HTTP", "WEBHOOK_ALLOWED_NETWORKS", "DRAIN_DELAY_MS"}


def is_job(service):
    return service.get("restart") == "no"


def is_ours(service):
    return "build" in service


def environment(service):
    return service.get("environment") or {}


def images(state):
    for name, service in state.compose["services"].items():
        tag = service["image"].rpartition(":")[2] if ":" in service["image"] else ""
        if not is_ours(service) and not re.search(r"\d+\.\d+", tag):
            yield f"{name}: the image {service['image']} names no exact version"
        if is_ours(service):
            build = service["build"]
            if build.get("dockerfile") != "deploy/Dockerfile":
                yield f"{name}: is built by another file than deploy/Dockerfile"
            if service["image"].split(":")[0] != f"bhiv/{build['args']['SERVICE']}":
                yield f"{name}: the image {service['image']} is not the one that is built"


def ports(state):
    for name, service in state.compose["services"].items():
        for port in service.get("ports", []):
            if port.get("host_ip") != "127.0.0.1":
                yield f"{name}: port {port['published']} is published beyond loopback"
    for number, name in enumerate(GATEWAYS, 8005):
        service = state.compose["services"][name]
        if [port["published"] for port in service.get("ports", [])] != [str(number)]:
            yield f"{name}: is not published as {number}"
        if environment(service).get("HTTP_ADDR") != f"0.0.0.0:{number}":
            yield f"{name}: does not listen at {number}"


def limits(state):
    for name, service in state.compose["services"].items():
        given = service.get("deploy", {}).get("resources", {}).get("limits", {})
        for what in ["cpus", "memory"]:
            if what not in given:
                yield f"{name}: without a limit of {what}"
        if not is_job(service) and "healthcheck" not in service and name not in WITHOUT_HEALTHCHECK:
            yield f"{name}: without a health check"


def rights(state):
    for name, service in state.compose["services"].items():
        if service.get("cap_drop") != ["ALL"]:
            yield f"{name}: keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: may gain privileges"
        if service.get("privileged") or service.get("pid") or service.get("network_mode") == "host":
            yield f"{name}: shares what is the machine's"
        if not service.get("read_only") and name not in MAY_WRITE:
            yield f"{name}: its root can be written to"
        user = str(service.get("user", "")).split(":")[0]
        if name in AS_ROOT:
            if not set(service.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER"}:
                yield f"{name}: has more capabilities than it needs"
        elif service.get("cap_add"):
            yield f"{name}: adds capabilities"
        elif not is_ours(service) and user in {"", "0", "root"}:
            yield f"{name}: runs as root"
        for volume in service.get("volumes", []):
            if volume["type"] == "bind" and not volume.get("read_only"):
                yield f"{name}: may write to {volume['source']}"
            if volume["source"].endswith("docker.sock"):
                yield f"{name}: has Docker's socket"


def sources(state):
    for name, service in state.compose["services"].items():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind" and not state.exists(volume["source"]):
                yield f"{name}: {volume['source']} is not there"


def secrets(state):
    for file, text in state.texts.items():
        for url in re.findall(r"\w+://[^\s/'\"]*:[^\s/'\"@]+@", text):
            if "%s" not in url:
                yield f"{file}: a URL with a password: {url}"
    for name, service in state.compose["services"].items():
        for variable, value in environment(service).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY|CREDENTIAL", variable) and not value.startswith("/run/"):
                yield f"{name}: {variable} stands in the file itself"
        for volume in service.get("volumes", []):
            whose = volume["source"].removeprefix("secrets-")
            if whose == volume["source"] or name in {"secrets", "elasticsearch-setup"}:
                continue
            readers = {whose, f"{whose}-setup", f"{whose}-keys"}
            if whose == "bhiv-gateway":
                readers |= {*GATEWAYS, "keys"}
            if whose == "operator":
                readers = {"broker-setup"} | {f"{module}-setup" for module in [*MODULES, "bhiv-gateway"]}
            if name not in readers:
                yield f"{name}: has secrets of {whose}"
            if not name.endswith("keys") and not volume.get("read_only"):
                yield f"{name}: may write to the secrets of {whose}"


def networks(state):
    services = state.compose["services"]
    for name, network in state.compose["networks"].items():
        if not network.get("internal") and name not in OPEN_NETWORKS:
            yield f"the network {name} leads outside"
    for module in MODULES:
        own = {module, "shipping"} if module == "logging" else {module}
        if set(services[module].get("networks", {})) != own:
            yield f"{module}: its networks are not {', '.join(sorted(own))}"
        allowed = {module, f"{module}-setup", *GATEWAYS, *SERVERS}
        for name, service in services.items():
            if module in service.get("networks", {}) and name not in allowed:
                yield f"{name}: is in the network of {module}"
    for name, service in services.items():
        if "shipping" in service.get("networks", {}) and name not in {"logging", "elasticsearch"}:
            yield f"{name}: is in the network between logging and Elasticsearch"
        if "edge" in service.get("networks", {}) and name not in {"nginx", "smoke", "blackbox", *GATEWAYS}:
            yield f"{name}: is in the network of NGINX and the gateways"


def order(state):
    services = state.compose["services"]

    def waits(name, other, condition):
        given = services[name].get("depends_on", {}).get(other, {}).get("condition")
        if given != condition:
            yield f"{name}: does not wait for {other}"

    done, healthy = "service_completed_successfully", "service_healthy"
    for name in [*MODULES, *GATEWAYS]:
        setup = "bhiv-gateway-setup" if name in GATEWAYS else f"{name}-setup"
        yield from waits(name, setup, done)
        yield from waits(name, "keys", done)
        yield from waits(setup, "broker-setup", done)
        yield from waits(setup, "postgres", healthy)
    for name in GATEWAYS:
        for module in MODULES:
            yield from waits(name, module, healthy)
        yield from waits("nginx", name, healthy)
    for name in ["postgres", "rabbitmq", "redis", "keys", "compliance-keys", "logging-keys", "elasticsearch", "grafana"]:
        yield from waits(name, "secrets", done)
    yield from waits("smoke", "nginx", healthy)


def front(state):
    """NGINX fills in its template, and knows the gateways by the addresses that they have."""
    services = state.compose["services"]
    nginx = environment(services["nginx"])
    wanted = set(re.findall(r"\$\{(\w+)\}", state.texts["deploy/nginx/gateway.conf.template"]))
    for name in sorted(wanted ^ set(nginx)):
        yield f"nginx: {name} is in its template or in its environment, and not in the other"
    for name in GATEWAYS:
        address = services[name]["networks"]["edge"]["ipv4_address"]
        port = environment(services[name])["HTTP_ADDR"].rpartition(":")[2]
        if f"server {address}:{port} " not in nginx.get("GATEWAYS", ""):
            yield f"nginx: does not know {name} as {address}:{port}"
        proxy = services["nginx"]["networks"]["edge"]["ipv4_address"]
        if environment(services[name]).get("TRUSTED_PROXIES") != f"{proxy}/32":
            yield f"{name}: does not trust NGINX, or not NGINX alone"


def scraped(state):
    """Prometheus asks each of ours, where it listens, and can reach it."""
    services = state.compose["services"]
    targets = set(re.findall(r'"([\w-]+):(\d+)"', state.texts["deploy/prometheus/prometheus.yml"]))
    for name in [*MODULES, *GATEWAYS]:
        if (name, environment(services[name])["HTTP_ADDR"].rpartition(":")[2]) not in targets:
            yield f"prometheus: does not ask {name} where it listens"
    for name, _ in sorted(targets):
        if name not in services:
            yield f"prometheus: asks {name}, which is not there"
        elif not set(services[name]["networks"]) & set(services["prometheus"]["networks"]):
            yield f"prometheus: cannot reach {name}"


def settings(state):
    """What compose gives is what the binary reads, nothing is missing, and it is not less than the local stack gives."""
    for name, service in state.compose["services"].items():
        if not is_ours(service):
            continue
        binary = service["build"]["args"]["SERVICE"]
        command = (service.get("command") or ["run"])[:]
        known, required = state.settings(binary, command)
        given = set()
        for variable in environment(service):
            plain = variable.removesuffix("_FILE")
            if variable not in known and plain not in known:
                yield f"{name}: {binary} {' '.join(command)} does not read {variable}"
            given.add(variable if variable in known else plain)
        for variable in sorted(required - given):
            yield f"{name}: {variable} is missing"
        if command == ["run"]:
            for variable in sorted(state.local[binary] - LOCAL_ONLY - given):
                yield f"{name}: scripts/up gives it {variable}, compose does not"


def dockerfile(state):
    text = re.sub(r"\\\n", " ", state.texts["deploy/Dockerfile"])
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        if re.match(r"ARG \w+_IMAGE=", line) and not re.search(r":[\w.-]*\d+\.\d+", line):
            yield f"Dockerfile: a base without an exact version: {line}"
        if re.match(r"FROM (?!scratch$)(?!\$\{)", line):
            yield f"Dockerfile: a base that cannot be replaced: {line}"
        if re.match(r"(ADD|HEALTHCHECK|VOLUME|ONBUILD|SHELL)\b", line):
            yield f"Dockerfile: {line.split()[0]}"
        if re.search(r"(curl|wget)\b", line):
            yield f"Dockerfile: fetches something by itself: {line}"
        if re.match(r"(ENV|ARG) \w*(PASSWORD|SECRET|TOKEN|KEY)", line):
            yield f"Dockerfile: a secret would stay in the image: {line}"
    stages = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    last = lines[stages[-1]:] if stages else []
    wanted = ["FROM scratch", "USER 10001:10001", 'ENTRYPOINT ["/bin/service"]', 'CMD ["run"]']
    for line in wanted:
        if line not in last:
            yield f"Dockerfile: its result is without {line}"
    if any(line.startswith("RUN") for line in last):
        yield "Dockerfile: something runs in the result"
    if not any("cargo build --locked --profile dist" in line for line in lines):
        yield "Dockerfile: not built as dist, or not as Cargo.lock says"
    if "-Cprofile-use=/src/deploy/services.profdata" not in text or "--workspace --bin" not in text:
        yield "Dockerfile: not built after the profile, or not with the features that it was made with"
    for label in ["title", "version", "revision"]:
        if f"org.opencontainers.image.{label}=" not in text:
            yield f"Dockerfile: the label {label} is missing"
    ignored = [line for line in state.texts[".dockerignore"].splitlines() if line and not line.startswith("#")]
    if ignored[:1] != ["*"]:
        yield ".dockerignore: lets through what is not named"
    for line in lines:
        source = re.match(r"COPY (?!--from)(.+) \S+$", line)
        for name in source[1].split() if source else []:
            if f"!{name}" not in ignored:
                yield f".dockerignore: keeps back {name}, which is copied"


ALL = [images, ports, limits, rights, sources, secrets, networks, order, front, scraped, settings, dockerfile]
