"""Writes the dashboards of deploy/grafana/dashboards: what each shows stands here, once.

dashboards.py           writes them
dashboards.py --check   says which of them are not what would be written
"""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "deploy/grafana/dashboards"
SERVICES = ["bhiv-gateway", "crm", "logistics", "task", "compliance", "rl", "logging"]
SOURCE = {"type": "prometheus", "uid": "prometheus"}
# Probes and scrapes are no requests of anybody's.
REQUESTS = 'route!~"/metrics|/health.*"'
# The way from a lead to feedback, by the events that tell of it.
FUNNEL = [
    ("lead", "lead_created"), ("opportunity", "opportunity_created"), ("opportunity won", "opportunity_won"),
    ("order", "order_created"), ("decision", "decision_made"), ("delivery", "delivery_completed"),
    ("feedback", "feedback_received"),
]


class Dashboard:
    """Panels from left to right and from top to bottom."""

    def __init__(self, uid, title):
        self.uid, self.title, self.panels = uid, title, []
        self.x = self.y = self.height = 0

    def add(self, kind, title, queries, unit, width, height, options=None, thresholds=None, about=None):
        if self.x + width > 24:
            self.x, self.y, self.height = 0, self.y + self.height, 0
        position = {"x": self.x, "y": self.y, "w": width, "h": height}
        self.x, self.height = self.x + width, max(self.height, height)
        instant = kind != "timeseries"
        defaults = {"unit": unit, "min": 0}
        if thresholds:
            steps = [{"color": "green", "value": None}] + [{"color": c, "value": v} for c, v in thresholds]
            defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        self.panels.append({
            "id": len(self.panels) + 1, "type": kind, "title": title, "datasource": SOURCE, "gridPos": position,
            **({"description": about} if about else {}),
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": options or {},
            "targets": [
                {"refId": chr(ord("A") + place), "datasource": SOURCE, "expr": query, "legendFormat": legend,
                 "instant": instant, "range": not instant, **({"format": "table"} if kind == "table" else {})}
                for place, (query, legend) in enumerate(queries)
            ],
        })

    def line(self, title, *queries, unit="short", width=8, limit=None, about=None):
        """A graph; red above `limit`."""
        options = {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
                   "tooltip": {"mode": "multi", "sort": "desc"}}
        self.add("timeseries", title, queries, unit, width, 8, options, [("red", limit)] if limit else None, about)

    def stat(self, title, query, unit="short", width=4, thresholds=None, about=None):
        """One figure."""
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
        self.add("stat", title, [(query, "")], unit, width, 4, options, thresholds, about)

    def json(self):
        links = [{"type": "dashboards", "title": "BHIV", "tags": ["bhiv"], "asDropdown": True,
                  "includeVars": False, "keepTime": True}]
        return {
            "uid": self.uid, "title": self.title, "tags": ["bhiv"], "schemaVersion": 39, "version": 1,
            "editable": False, "timezone": "utc", "refresh": "30s", "time": {"from": "now-1h", "to": "now"},
            "links": links, "templating": {"list": []}, "annotations": {"list": []}, "panels": self.panels,
        }


def quantile(share, buckets, by):
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({buckets}[$__rate_interval])))"


def overview():
    page = Dashboard("bhiv-overview", "BHIV / Overview")
    page.stat("replicas that answer", 'sum(up{job=~"bhiv-gateway|crm|logistics|task|compliance|rl|logging"})')
    page.stat("alerts", 'count(ALERTS{alertstate="firing"}) or vector(0)', thresholds=[("red", 1)])
    page.stat("requests", 'sum(job:http_requests:rate5m{job="bhiv-gateway"})', "reqps")
    page.stat("errors", 'max(job:http_request_errors:ratio5m{job="bhiv-gateway"})', "percentunit",
              thresholds=[("red", 0.05)])
    page.stat("95 % faster than", 'max(job:http_request_seconds:p95_5m{job="bhiv-gateway"})', "s",
              thresholds=[("red", 0.5)])
    page.stat("oldest unpublished event", "max(outbox_oldest_seconds)", "s", thresholds=[("red", 30)])
    page.line("requests", ("job:http_requests:rate5m", "{{job}}"), unit="reqps")
    page.line("requests that fail", ("job:http_request_errors:ratio5m", "{{job}}"), unit="percentunit", limit=0.05)
    page.line("95 % of requests faster than", ("job:http_request_seconds:p95_5m", "{{job}}"), unit="s", limit=0.5,
              about="A request above 500 ms has a log line `request` with its http.route and trace.id: "
                    "log.logger:bhiv_web* and event.duration_ms > 500. The trace of that id is its waterfall.")
    page.line("95 % of statements faster than", ("job_pool:db_query_seconds:p95_5m", "{{job}} {{pool}}"), unit="s",
              limit=0.5)
    page.line("95 % of events done within", ("max by (job) (job_consumer:inbox_event_seconds:p95_5m)", "{{job}}"),
              unit="s", limit=5, about="From what happened to the commit of what the slowest consumer did about it.")
    page.line("requests under way", ("sum by (job) (http_requests_in_flight)", "{{job}}"))
    page.line("CPU", ("sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))", "{{job}}"),
              about="1 is one core.")
    page.line("memory", ("max by (job) (process_resident_memory_bytes)", "{{job}}"), unit="bytes")
    page.line("messages in queues", ("sum by (queue) (rabbitmq_detailed_queue_messages) > 0", "{{queue}}"))
    page.add("table", "alerts", [('ALERTS{alertstate="firing"}', "")], "short", 24, 8)
    return page


def service(name):
    page = Dashboard(f"bhiv-{name.removeprefix('bhiv-')}", f"BHIV / {name.removeprefix('bhiv-')}")
    job = f'job="{name}"'
    page.stat("replicas that answer", f"sum(up{{{job}}})", thresholds=None)
    page.stat("requests", f"sum(job:http_requests:rate5m{{{job}}})", "reqps")
    page.stat("errors", f"max(job:http_request_errors:ratio5m{{{job}}})", "percentunit", thresholds=[("red", 0.05)])
    page.stat("95 % faster than", f"max(job:http_request_seconds:p95_5m{{{job}}})", "s", thresholds=[("red", 0.5)])
    page.stat("oldest unpublished event", f"max(outbox_oldest_seconds{{{job}}})", "s", thresholds=[("red", 30)])
    page.stat("dead letters", f"max(dead_letters{{{job}}})", thresholds=[("red", 1)])
    rate = f"rate(http_request_seconds_count{{{job},{REQUESTS}}}[$__rate_interval])"
    page.line("requests by route", (f"sum by (method, route) ({rate})", "{{method}} {{route}}"), unit="reqps", width=12)
    page.line("requests by what came of them", (f"sum by (status) ({rate})", "{{status}}"), unit="reqps", width=12)
    buckets = f"http_request_seconds_bucket{{{job},{REQUESTS}}}"
    page.line("how long requests take", *[(quantile(share, buckets, "job"), f"{share * 100:g} %")
                                          for share in (0.5, 0.95, 0.99)], unit="s", limit=0.5,
              about=f"A request above 500 ms has a log line `request`: service.name:{name} and event.duration_ms > 500. "
                    "It has the route, and the trace.id whose trace is its waterfall.")
    page.line("95 % by route", (quantile(0.95, buckets, "method, route"), "{{method}} {{route}}"), unit="s", limit=0.5)
    page.line("requests under way", (f"sum by (instance) (http_requests_in_flight{{{job}}})", "{{instance}}"))
    page.line("how long statements take", *[(quantile(share, f"db_query_seconds_bucket{{{job}}}", "pool"),
                                             f"{{{{pool}}}} {share * 100:g} %") for share in (0.5, 0.95, 0.99)],
              unit="s", limit=0.5)
    page.line("waiting for a connection", (quantile(0.95, f"db_pool_wait_seconds_bucket{{{job}}}", "pool"),
                                           "{{pool}} 95 %"), unit="s", limit=0.5)
    page.line("connections", *[(f"sum by (pool) ({name}{{{job}}})", f"{{{{pool}}}} {what}") for name, what in [
        ("db_pool_in_use", "in use"), ("db_pool_connections", "open"), ("db_pool_max", "at most")]])
    page.line("events told", (f"sum by (event) (rate(outbox_published_total{{{job}}}[$__rate_interval])) > 0",
                              "{{event}}"), unit="ops")
    page.line("events heard", (f"sum by (consumer, outcome) (rate(inbox_messages_total{{{job}}}[$__rate_interval]))",
                               "{{consumer}} {{outcome}}"), unit="ops")
    page.line("95 % of events done within", (f"job_consumer:inbox_event_seconds:p95_5m{{{job}}}", "{{consumer}}"),
              unit="s", limit=5)
    page.line("CPU", (f"sum by (instance) (rate(process_cpu_seconds_total{{{job}}}[$__rate_interval]))", "{{instance}}"),
              about="1 is one core.")
    page.line("memory", (f"process_resident_memory_bytes{{{job}}}", "{{instance}}"), unit="bytes")
    page.line("open files", (f"process_open_fds{{{job}}}", "{{instance}}"),
              (f"process_max_fds{{{job}}}", "{{instance}} at most"))
    if name == "bhiv-gateway":
        gateway(page)
    page.add("table", "what runs", [(f"target_info{{{job}}}", "")], "short", 24, 6)
    return page


def gateway(page):
    """What only the gateway has."""
    page.line("modules that are left alone", ("max by (module) (gateway_module_breaker)", "{{module}}"),
              about="0: it answers. 1: it is tried again. 2: it is left alone.")
    page.line("requests to modules", (
        "sum by (module, outcome) (rate(gateway_module_attempts_total[$__rate_interval]))", "{{module}} {{outcome}}"))
    page.line("what the cache did", (
        "sum by (outcome) (rate(gateway_cache_total[$__rate_interval]))", "{{outcome}}"))
    page.line("requests counted by limits", (
        "sum by (outcome) (rate(gateway_rate_limit_total[$__rate_interval]))", "{{outcome}}"))
    page.line("live streams", ("sum by (transport) (gateway_streams)", "{{transport}}"))
    page.line("webhooks that wait", ("max(webhooks_pending)", "wait"))


def messaging():
    page = Dashboard("bhiv-messaging", "BHIV / Messaging")
    page.stat("unpublished events", "sum(max by (job) (outbox_waiting))", thresholds=[("orange", 1000)])
    page.stat("the oldest of them", "max(outbox_oldest_seconds)", "s", thresholds=[("red", 30)])
    page.stat("outboxes with a leader", "sum(max by (job) (outbox_leader))")
    page.stat("refused by RabbitMQ", "sum(max by (job) (outbox_parked))", thresholds=[("red", 1)])
    page.stat("to be handled again", "sum(max by (job) (inbox_parked))", thresholds=[("orange", 1)])
    page.stat("dead letters", "sum(max by (job) (dead_letters))", thresholds=[("red", 1)])
    page.line("events published", ("sum by (job) (rate(outbox_published_total[$__rate_interval]))", "{{job}}"), unit="ops")
    page.line("messages handled", ("sum by (job, outcome) (rate(inbox_messages_total[$__rate_interval]))",
                                   "{{job}} {{outcome}}"), unit="ops")
    page.line("95 % of events done within", ("job_consumer:inbox_event_seconds:p95_5m", "{{job}} {{consumer}}"), unit="s",
              limit=5)
    page.line("events that wait", ("max by (job) (outbox_waiting)", "{{job}}"))
    page.line("age of the oldest", ("max by (job) (outbox_oldest_seconds)", "{{job}}"), unit="s", limit=30)
    page.line("95 % of batches confirmed within", (quantile(0.95, "outbox_confirm_seconds_bucket", "job"), "{{job}}"),
              unit="s")
    page.line("95 % of transactions of messages within", (quantile(0.95, "inbox_batch_seconds_bucket", "job"), "{{job}}"),
              unit="s")
    page.line("messages in queues", ('rabbitmq_detailed_queue_messages{queue=~".+[.]q[.].+"}', "{{queue}}"))
    page.line("consumers of queues", ('rabbitmq_detailed_queue_consumers{queue=~".+[.]q[.].+"}', "{{queue}}"))
    page.line("dead letters by queue", ('rabbitmq_detailed_queue_messages{queue=~".+[.]dlq"}', "{{queue}}"), limit=1)
    page.line("given up, by class", ("sum by (job, class) (increase(inbox_dead_letters_total[$__rate_interval]))",
                                     "{{job}} {{class}}"), limit=1)
    page.line("for how long the oldest could not be handled", ("max by (job) (inbox_parked_oldest_seconds)", "{{job}}"),
              unit="s", limit=900)
    page.line("RabbitMQ takes no messages", ("sum by (job) (rate(broker_blocked_seconds_total[$__rate_interval]))",
                                             "{{job}}"), unit="percentunit", about="The part of the time.")
    page.line("deleted rows that vacuum left", ("max by (job) (outbox_dead_rows)", "{{job}}"), limit=1_000_000)
    return page


def business():
    page = Dashboard("bhiv-business", "BHIV / From lead to feedback")
    told = [(f'sum(increase(outbox_published_total{{event="{event}"}}[$__range]))', name) for name, event in FUNNEL]
    options = {"orientation": "horizontal", "displayMode": "gradient", "reduceOptions": {"calcs": ["lastNotNull"]}}
    page.add("bargauge", "in the time that is shown", told, "short", 24, 10, options,
             about="Counted when RabbitMQ has confirmed the event. Counts of what is far back are on /bhiv/dashboard.")
    for (name, event), (before, event_before) in zip(FUNNEL[1:], FUNNEL):
        page.stat(f"{name} per {before}", f'sum(increase(outbox_published_total{{event="{event}"}}[$__range])) / '
                  f'(sum(increase(outbox_published_total{{event="{event_before}"}}[$__range])) > 0)', "percentunit")
    rates = [(f'sum(rate(outbox_published_total{{event="{event}"}}[$__rate_interval])) * 60', name)
             for name, event in FUNNEL]
    page.line("a minute", *rates, width=24)
    for title, events in [("what goes wrong", "opportunity_lost|delivery_delayed|delivery_failed|task_overdue|inventory_low"),
                          ("compliance", "consent_granted|consent_revoked|compliance_checked|compliance_violation|duty_overdue"),
                          ("learning", "lead_scored|decision_made|outcome_recorded|policy_promoted|policy_rolled_back")]:
        page.line(title, (f'sum by (event) (increase(outbox_published_total{{event=~"{events}"}}[$__rate_interval]))',
                          "{{event}}"))
    return page


def main():
    pages = [overview(), messaging(), business(), *map(service, SERVICES)]
    wanted = {f"{page.uid.removeprefix('bhiv-')}.json": json.dumps(page.json(), indent=1) + "\n" for page in pages}
    there = {file.name: file.read_text() for file in FOLDER.glob("*.json")}
    if sys.argv[1:] == ["--check"]:
        stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
        if stale:
            sys.exit(f"not what scripts/lib/observe/dashboards.py writes: {', '.join(stale)}")
        return
    for name in there.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
