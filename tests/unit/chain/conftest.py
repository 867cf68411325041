"""Recorded transactions of the public ledger, with what is true of them (tests/recordings/README.md)."""

import json
from pathlib import Path
from typing import Any

import pytest

RECORDINGS = Path(__file__).parents[2] / "recordings"
NAMES = sorted(path.stem for path in (RECORDINGS / "transactions").glob("*.json"))


class Recording:
    def __init__(self, name: str) -> None:
        self.name = name
        self.transaction: dict[str, Any] = json.loads((RECORDINGS / "transactions" / f"{name}.json").read_text())
        self.expected: dict[str, Any] = json.loads((RECORDINGS / "expected" / f"{name}.json").read_text())

    @property
    def logs(self) -> list[str]:
        return self.transaction["meta"]["logMessages"]


@pytest.fixture(params=NAMES)
def recording(request: pytest.FixtureRequest) -> Recording:
    return Recording(request.param)


@pytest.fixture
def recorded() -> type[Recording]:
    return Recording


@pytest.fixture(scope="session")
def recorded_logs() -> list[list[str]]:
    return [Recording(name).logs for name in NAMES]
