"""Whether each alert says how bad it is and what to do, has its part in the runbook, and is tested both ways.

What it reads has one form: `promtool check rules` and `promtool test rules` see to the rest.
"""
import pathlib
import re
import sys

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"
SAYS = ["expr", "severity", "summary", "description", "runbook_url"]
# A check of a test file: an alert's name, and what is expected of it. `[]` stands on its line, what fires on lines of its own.
CHECK = re.compile(r'ALERTS\{alertname="(\w+)",alertstate="firing"\}(.*?)exp_samples:( *\[\])?', re.DOTALL)


def main():
    wrong, alerts, tested = [], {}, set()
    for file in sorted((DEPLOY / "prometheus").glob("*.rules.yml")):
        for text in file.read_text().split("- alert: ")[1:]:
            alerts[text.split("\n", 1)[0].strip()] = text
    for file in (DEPLOY / "prometheus/tests").glob("*.yml"):
        tested |= {(name, "silent" if empty else "fires") for name, _, empty in CHECK.findall(file.read_text())}
    runbook = DEPLOY / "RUNBOOK.md"
    headings = set(re.findall(r"^### (\w+)$", runbook.read_text(), re.MULTILINE))
    wrong += [f"deploy/RUNBOOK.md has {name}, which is no alert" for name in sorted(headings - set(alerts))]
    for name, text in alerts.items():
        wrong += [f"{name} has no {part}" for part in SAYS if f"{part}: " not in text]
        if f"deploy/RUNBOOK.md#{name.lower()}\"" not in text:
            wrong.append(f"{name} does not name its part of the runbook")
        if name not in headings:
            wrong.append(f"deploy/RUNBOOK.md has no heading {name}")
        wrong += [f"no test in which {name} {way}" for way in ["fires", "is silent"]
                  if (name, way.removeprefix("is ")) not in tested]
    if len(alerts) < 20:
        wrong.append(f"only {len(alerts)} alerts were found")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(alerts)} alerts: each tested both ways, each with its part in the runbook")


if __name__ == "__main__":
    main()
