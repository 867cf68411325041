"""What deploy/ gives to Docker Compose and Kubernetes: each process with its image, command and environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from solflow.parts import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
# The servers beside SolFlow: their variables are their own.
SERVERS = {"postgres", "redis"}


@dataclass(frozen=True)
class Process:
    """One process of a deployment. `names` are the variables that it is told, NAME_FILE as NAME."""

    where: str
    part: str
    image: str
    command: list[str]
    names: frozenset[str]
    definition: dict[str, Any]


def processfile() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def documents() -> list[dict[str, Any]]:
    """Every object of every Kubernetes file."""
    return [one for path in sorted(KUBERNETES.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in documents() if one["kind"] == kind}


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """The name and the pod's spec of everything that runs pods."""
    for one in documents():
        if "template" in one.get("spec", {}):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def kubernetes_processes() -> list[Process]:
    maps = {name: set(one["data"]) for name, one in of_kind("ConfigMap").items()}
    secrets = {name: set(one["stringData"]) for name, one in of_kind("Secret").items()}
    return [_container(name, pod, maps, secrets) for name, pod in pods()]


def _container(name: str, pod: dict[str, Any], maps: dict[str, set[str]], secrets: dict[str, set[str]]) -> Process:
    (one,) = pod["containers"]
    names: set[str] = {row["name"] for row in one.get("env", ())}
    for source in one["envFrom"]:
        names |= maps[source["configMapRef"]["name"]] if "configMapRef" in source else set()
        names |= secrets[source["secretRef"]["name"]] if "secretRef" in source else set()
    for volume in pod.get("volumes", ()):
        if "secret" in volume:
            names |= secrets[volume["secret"]["secretName"]]
    return Process(
        "kubernetes", name.removeprefix("solflow-"), one["image"], one["args"], frozenset(map(_plain, names)), one
    )


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yml").read_text())


def compose_processes(folder: Path) -> list[Process]:
    """`folder` holds the environment files that deploy/secrets.sh has written."""
    return [
        Process("compose", name, one["image"], one["command"], frozenset(_told(one, folder)), one)
        for name, one in compose()["services"].items()
        if name not in SERVERS
    ]


def _told(service: dict[str, Any], folder: Path) -> Iterator[str]:
    yield from service.get("environment", {})
    for file in service["env_file"]:
        if (folder / file).exists():
            yield from variables(folder / file)


def variables(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", file.read_text(), re.MULTILINE))


def settings_named() -> set[str]:
    """Every variable that .env.example explains."""
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def _plain(name: str) -> str:
    return name.removesuffix("_FILE")
