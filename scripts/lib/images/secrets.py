"""The jobs of deploy/compose that make secrets, run on folders in place of volumes: afterwards every file that a container is
told to read is there, and its user may read it. Elasticsearch is a stand-in that answers what the job asks.

    secrets.py <checkout> <resolved compose file, JSON> <folder of binaries>
"""

import base64
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading


class Elasticsearch(http.server.BaseHTTPRequestHandler):
    """Takes the password that the job `secrets` made, and gives keys."""

    asked = []
    password = ""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        expected = base64.b64encode(f"elastic:{self.password}".encode()).decode()
        is_known = self.headers["authorization"] == f"Basic {expected}"
        self.asked.append((self.path, body))
        self.send_response(200 if is_known else 401)
        self.end_headers()
        if is_known:
            self.wfile.write(b'{"id":"1","name":"logging","api_key":"secret","encoded":"MTpzZWNyZXQ="}')

    def log_message(self, *_):
        pass


def snapshot(folder):
    return {file: (file.read_bytes(), file.stat().st_mode, file.stat().st_uid) for file in folder.rglob("*") if file.is_file()}


def folder_of(volume, volumes):
    return volumes / volume["source"].removeprefix("secrets-")


def located(path, service, volumes):
    """The file that a container knows as `path`."""
    for volume in service.get("volumes", []):
        if path.startswith(volume["target"] + "/") and volume["type"] == "volume":
            return folder_of(volume, volumes) / path.removeprefix(volume["target"] + "/")
    return None


def paths(service):
    words = [*(service.get("environment") or {}).values(), *(service.get("command") or [])]
    return [word for word in words if word.startswith("/run/")]


def main(checkout, compose, binaries):
    services = json.loads(pathlib.Path(compose).read_text())["services"]
    deploy = pathlib.Path(checkout) / "deploy/compose"
    with tempfile.TemporaryDirectory() as folder:
        volumes = pathlib.Path(folder)
        for volume in services["secrets"]["volumes"]:
            if volume["type"] == "volume":
                assert volume["target"] == f"/volumes/{folder_of(volume, volumes).name}", volume
                folder_of(volume, volumes).mkdir()
        make = ["bash", deploy / "secrets.sh", "make"]
        env = {**os.environ, "VOLUMES": folder, "PUBLIC_URL": "https://api.example.com:8443/x"}
        subprocess.run(make, check=True, env=env)
        before = snapshot(volumes)
        subprocess.run(make, check=True, env=env)
        assert snapshot(volumes) == before, "what was there has changed"
        for file, (_, mode, _) in before.items():
            is_public = file.name == "certificate.pem"
            assert mode & 0o777 == (0o444 if is_public else 0o400) or file.parent.name == "passwords", f"{file}: {mode:o}"

        # The certificate is one that a client accepts when it trusts it, for the names that it is called by.
        certificate, key = volumes / "tls/certificate.pem", volumes / "tls/key.pem"
        for host in ["api.example.com", "localhost", "nginx"]:
            check = ["openssl", "verify", "-CAfile", certificate, "-verify_hostname", host, certificate]
            subprocess.run(check, check=True, capture_output=True)
        ask = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True).stdout
        assert ask("x509", "-in", certificate, "-noout", "-pubkey") == ask("pkey", "-in", key, "-pubout")

        for name in ["keys", "compliance-keys", "logging-keys"]:
            env = {variable: str(located(path, services[name], volumes)) for variable, path in services[name]["environment"].items()}
            subprocess.run([pathlib.Path(binaries) / "bhiv", *services[name]["command"]], check=True, env=env)
            for path in env.values():
                os.chown(path, 10001, 10001)

        server = http.server.HTTPServer(("127.0.0.1", 0), Elasticsearch)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {**os.environ, "VOLUMES": folder, "URL": f"http://127.0.0.1:{server.server_port}"}
        script = ["bash", deploy / "elasticsearch.sh"]
        refused = subprocess.run(script, env=env, capture_output=True)
        assert refused.returncode != 0, "a refusal of Elasticsearch's is not noticed"
        Elasticsearch.password = (volumes / "elasticsearch/elastic").read_text()
        Elasticsearch.asked.clear()
        subprocess.run(script, check=True, env=env)
        subprocess.run(script, check=True, env=env)
        asked = [path for path, _ in Elasticsearch.asked]
        assert asked.count("/_security/api_key") == 2, asked
        assert Elasticsearch.asked[0][1]["password"] == (volumes / "kibana/password").read_text()
        assert (volumes / "logging/elasticsearch-api-key").read_text() == "MTpzZWNyZXQ="
        server.shutdown()

        looked_at = 0
        for name, service in services.items():
            user = 10001 if "build" in service else int(service.get("user", "0").split(":")[0])
            for path in paths(service):
                file = located(path, service, volumes)
                assert file and file.is_file(), f"{name}: nobody makes {path}"
                status = file.stat()
                assert status.st_uid == user or status.st_mode & 0o004, f"{name}: may not read {path}"
                looked_at += 1
    print(f"{looked_at} files that containers are told to read are made, for their readers alone")


if __name__ == "__main__":
    main(*sys.argv[1:])
