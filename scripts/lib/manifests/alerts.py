"""The alerts of deploy/prometheus as the Prometheus operator takes them. Kustomize reads no file outside its folder, so they
are written into it, and a rule sees to it that they are the same."""

import yaml

from model import ROOT

FILE = ROOT / "k8s/platform/monitoring/rules.yaml"
HEAD = "# Generated from deploy/prometheus/*.rules.yml: `scripts/lib/manifests/run --update` writes it anew.\n"


def groups():
    """All groups, in the order of their files."""
    files = sorted((ROOT / "deploy/prometheus").glob("*.rules.yml"))
    return [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]


def update():
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "bhiv", "labels": {"app.kubernetes.io/part-of": "bhiv"}},
        "spec": {"groups": groups()},
    }
    FILE.write_text(HEAD + yaml.safe_dump(rule, sort_keys=False, width=120, allow_unicode=True))
