"""What deploy/ gives to Prometheus and Grafana can be loaded, is PromQL, and leads to a paragraph that exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import promql_parser
import pytest

from solflow.parts import ROOT
from tests.monitoring import ALERTS, DASHBOARDS, alerts, dashboard_queries, panels

OPERATING = ROOT / "docs" / "operating.md"


def headings() -> set[str]:
    found = re.findall(r"^#+ (.+)$", OPERATING.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_how_bad_and_what_to_do(rule: dict[str, Any]) -> None:
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert all(notes.values())
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    page, anchor = notes["runbook_url"].split("#")
    assert (ROOT / page, anchor) == (OPERATING, rule["alert"].lower())
    assert anchor in headings()


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_in_promql(rule: dict[str, Any]) -> None:
    promql_parser.parse(rule["expr"])


def test_no_paragraph_is_about_an_alert_that_is_gone() -> None:
    described = re.findall(r"^### (SolFlow\w+)$", OPERATING.read_text(), re.MULTILINE)
    assert described == [rule["alert"] for rule in alerts()]


@pytest.mark.parametrize(("dashboard", "query"), dashboard_queries())
def test_a_panel_asks_in_promql(dashboard: str, query: str) -> None:
    promql_parser.parse(query)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_have_an_id_a_title_and_a_place_of_their_own(path: Any) -> None:
    shown = panels(path)
    assert len({panel["id"] for panel in shown}) == len({panel["title"] for panel in shown}) == len(shown)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in shown)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_the_scrape_names_the_rules_beside_it() -> None:
    scrape = (ALERTS.parent / "prometheus.yml").read_text()
    assert f"- {ALERTS.name}" in scrape
    assert 'up{job="solflow"}' in alerts()[0]["expr"]
    assert "job_name: solflow" in scrape


def test_every_alert_has_a_case_in_which_it_fires() -> None:
    cases = (ALERTS.parent / "alerts_test.yml").read_text()
    assert set(re.findall(r'alertname="(\w+)"', cases)) == {rule["alert"] for rule in alerts()}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs Prometheus's promtool")
def test_alerts_fire_when_they_should_and_not_before() -> None:
    command = ["promtool", "test", "rules", ALERTS.parent / "alerts_test.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
