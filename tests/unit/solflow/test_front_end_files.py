"""What the templates and the committed static files promise: a strict CSP, known icons, licences, no foreign hosts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template.loader import get_template, render_to_string

from solflow.ui import definition, statuses
from workflows.specs.workflow import parse

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
EXAMPLES = sorted((ROOT / "templates/workflows/examples").glob("*.json"))
SPRITE = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons.svg").read_text()))
CHANNEL = "7d3c0000-0000-4000-8000-000000000001"


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_a_template_compiles(path: Path) -> None:
    assert get_template(relative(path))


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_a_template_needs_nothing_that_the_content_security_policy_forbids(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=|<style|<script(?![^>]*\ssrc=)|hx-on|javascript:", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_a_template_takes_nothing_as_safe_by_itself(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape off|mark_safe", path.read_text())


def test_every_icon_in_use_is_in_the_sprite() -> None:
    used = set()
    for path in TEMPLATES:
        source = path.read_text()
        used.update(re.findall(r'{% icon "([^"]+)"', source))
        used.update(re.findall(r'{% kind "[a-z]+" "([^"]+)"', source))
        used.update(re.findall(r'glyph="([^"]+)"', source))
    for table in (statuses.EXECUTION, statuses.WAITING, statuses.WORKFLOW, statuses.TRANSACTION, statuses.DELIVERY):
        used.update(look.icon for look in table.values())
    for icons in (definition.TRIGGER_ICONS, definition.ACTION_ICONS, definition.CHANNEL_ICONS):
        used.update(icons.values())
    assert used - SPRITE == set()


def test_every_icon_of_the_sprite_is_in_the_list_that_builds_it() -> None:
    assert set((ROOT / "frontend/icons.txt").read_text().split()) == SPRITE


def test_a_licence_lies_beside_everything_that_others_wrote() -> None:
    for folder, pattern in (("vendor", "*.js"), ("fonts", "*.woff2")):
        for path in (ROOT / "static" / folder).glob(pattern):
            name = re.sub(r"\.min\.js$|-latin-wght-normal\.woff2$", "", path.name)
            assert (path.parent / f"{name}.LICENSE").stat().st_size > 300, path.name


def test_the_lock_file_pins_versions_without_naming_a_registry() -> None:
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())
    wanted = json.loads((ROOT / "frontend/package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


@pytest.mark.parametrize("path", EXAMPLES, ids=relative)
@pytest.mark.parametrize("channels", [{}, {CHANNEL: SimpleNamespace(name="Room", type="discord")}], ids=["none", "one"])
def test_an_example_of_the_editor_is_a_definition_with_and_without_a_channel(
    path: Path, channels: dict[str, object]
) -> None:
    spec = parse(render_to_string(relative(path), {"channels": channels}))
    assert len(spec.notifications) == len(channels)
