"""Pages are reached from the index, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from solflow.parts import ROOT
from tests.documents import DOCS, pages

# Read by Celery, by OpenTelemetry and by OpenSSL themselves.
OF_LIBRARIES = ("REMAP_SIGTERM", "OTEL_", "SSL_CERT")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_every_page_is_in_the_index_and_in_the_sites_menu() -> None:
    there = {page.name for page in DOCS.glob("*.md")} - {"index.md"}
    assert set(LINK.findall((DOCS / "index.md").read_text())) == there
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    shown = [page for entry in menu for page in (next(iter(entry.values())) if isinstance(entry, dict) else [entry])]
    assert sorted(shown) == sorted(there | {"index.md"})


@pytest.mark.parametrize(
    "page", [*pages(), ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name
)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    missing = [
        link for link in LINK.findall(page.read_text()) if "://" not in link and not (page.parent / link).exists()
    ]
    assert not missing


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_commands_that_a_page_names_exist(page: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))
    ours = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    assert named <= ours | {"changepassword", "clearsessions", "makemigrations"}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", page.read_text())) <= targets


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_variables_that_a_page_names_are_explained(page: Path) -> None:
    example = (ROOT / ".env.example").read_text()
    named = re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", page.read_text())
    told = {name.removesuffix("_FILE") for name in named} - {"NAME"}
    unknown = {name for name in told if f"{name}=" not in example and not name.startswith(OF_LIBRARIES)}
    assert not unknown
