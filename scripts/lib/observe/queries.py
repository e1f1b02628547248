"""Whether every query of every dashboard, and of every rule, asks for what the running system measures.

queries.py <Prometheus> <seconds>   in a Prometheus that has read the system through one flow at least. What is not there
                                    yet may come within so many seconds.

Each query is answered without an error, and each metric, label and value that it names is there. Each query of a dashboard
and each recording rule has an answer too, unless it stands below why not.
"""
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "deploy/grafana/dashboards"
# How much of the past a dashboard shows where it runs, and what is enough here.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h"}
# What nothing measures here, and who does elsewhere.
ELSEWHERE = {"certmanager_certificate_expiration_timestamp_seconds"}
# What Prometheus makes itself, when there is something to tell.
OF_PROMETHEUS = {"ALERTS"}
# Values that are there only after something has gone wrong.
RARE = {("status", "5xx"), ("alertstate", "firing")}
# Queries that may be empty, by what stands in them: comparisons that hide what is well.
MAY_BE_EMPTY = ["ALERTS", "> 0"]

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[0-9.]+(?:e[+-]?[0-9]+)?|[a-zA-Z_:][a-zA-Z0-9_:]*|=~|!~|!=|[{}(),=]|\S')
WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan", "group_left", "group_right"}
LISTS = {"by", "without", "on", "ignoring"}


def selectors(query):
    """The metrics that a query names, each with its matchers, and the labels that it groups by."""
    tokens = TOKEN.findall(re.sub(r"\[[^\]]*\]", "", query))
    found, grouped, place = [], set(), 0
    while place < len(tokens):
        token, following = tokens[place], tokens[place + 1] if place + 1 < len(tokens) else ""
        place += 1
        if token in LISTS and following == "(":
            end = tokens.index(")", place)
            grouped |= set(tokens[place + 1:end]) - {","}
            place = end + 1
        elif re.match(r"[a-zA-Z_:]", token) and token not in WORDS and following not in LISTS | {"("}:
            matchers = []
            if following == "{":
                end = tokens.index("}", place)
                inner = tokens[place + 1:end]
                matchers = [(inner[i], inner[i + 1], json.loads(inner[i + 2])) for i in range(0, len(inner), 4)]
                place = end + 1
            found.append((token, matchers))
    return found, grouped


class Prometheus:
    def __init__(self, url):
        self.url, self.known = url, {}

    def ask(self, path, **parameters):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from error

    def series(self, metric):
        """The label sets of a metric."""
        if metric not in self.known:
            self.known[metric] = self.ask("series", **{"match[]": metric})
        return self.known[metric]


def faults(prometheus, where, query, must_answer):
    """What is wrong with a query."""
    try:
        answer = prometheus.ask("query", query=query)["result"]
    except ValueError as error:
        return [f"{where}: {error}: {query}"]
    wrong = []
    if must_answer and not answer and not any(part in query for part in MAY_BE_EMPTY):
        wrong.append(f"{where}: nothing comes of {query}")
    found, grouped = selectors(query)
    labels = set()
    for metric, matchers in found:
        if metric in ELSEWHERE | OF_PROMETHEUS:
            labels |= grouped
            continue
        series = prometheus.series(metric)
        if not series:
            wrong.append(f"{where}: nobody measures {metric}")
            continue
        labels |= {label for one in series for label in one}
        for label, how, value in matchers:
            values = {one.get(label, "") for one in series}
            if values == {""}:
                wrong.append(f"{where}: {metric} has no label {label}")
            elif how == "=" and value not in values and (label, value) not in RARE:
                wrong.append(f"{where}: no {metric} has {label}=\"{value}\"")
            elif how == "=~":
                parts = value.split("|") if re.fullmatch(r"[\w|-]+", value) else [value]
                wrong += [f"{where}: no {metric} has {label}=~\"{part}\"" for part in parts
                          if not any(re.fullmatch(part, one) for one in values)]
    wrong += [f"{where}: nothing has the label {label} in {query}" for label in grouped - labels]
    return wrong


def queries(prometheus):
    """Where each query stands, what it is, and whether there must be an answer."""
    for file in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                query = target["expr"]
                for variable, value in VARIABLES.items():
                    query = query.replace(variable, value)
                yield f"{file.name}, {panel['title']}", query, True
    for group in prometheus.ask("rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] == "err":
                raise ValueError(f"{rule['name']}: {rule['lastError']}")
            yield rule["name"], rule["query"], rule["type"] == "recording"


def main():
    prometheus, deadline = Prometheus(sys.argv[1]), time.monotonic() + float(sys.argv[2])
    while True:
        prometheus.known.clear()
        count, wrong = 0, []
        for where, query, must_answer in queries(prometheus):
            count += 1
            wrong += faults(prometheus, where, query, must_answer)
        if not wrong or time.monotonic() > deadline:
            break
        time.sleep(1)
    if wrong:
        sys.exit("\n".join(wrong))
    if count < 200:
        sys.exit(f"only {count} queries were found")
    print(f"{count} queries of dashboards and rules: each asks for what is measured")


if __name__ == "__main__":
    main()
