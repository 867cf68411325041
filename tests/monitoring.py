"""What deploy/ asks of `/metrics`: the queries of alerts and dashboards, and the metrics and labels that they name."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from solflow.parts import ROOT

DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels(dashboard: Path) -> list[dict[str, Any]]:
    return json.loads(dashboard.read_text())["panels"]


def dashboard_queries() -> list[tuple[str, str]]:
    return [(path.stem, target["expr"]) for path in DASHBOARDS for panel in panels(path) for target in panel["targets"]]


def named(query: str) -> dict[str, set[str]]:
    """The metrics of a query, each with the labels that it is selected by."""
    found: dict[str, set[str]] = defaultdict(set)

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found[node.name] |= {matcher.name for matcher in node.matchers.matchers}

    promql_parser.walk(promql_parser.parse(query), look)
    return found


def grouped_by(query: str) -> Iterator[str]:
    """The labels that a query groups by."""
    labels: list[str] = []

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            labels.extend(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(query), look)
    return iter(labels)
