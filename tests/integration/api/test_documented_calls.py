"""docs/api.md, from the first line to the last: its shell runs, and the answers are what the page shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from tests.documents import DOCS, blocks
from tests.people import Person

# Compared to the letter; of everything else it is the shape that the page promises.
EXACT = {"code", "type", "status", "path", "name", "description"}


def like(shown: Any, got: Any, key: str = "") -> bool:
    """Whether an answer has what the page shows: the same keys, of the same types. `…` stands for any text."""
    if isinstance(shown, dict):
        return isinstance(got, dict) and all(name in got and like(shown[name], got[name], name) for name in shown)
    if isinstance(shown, list):
        return isinstance(got, list) and len(got) >= len(shown) and all(map(like, shown, got))
    if key in EXACT and shown != "…":
        return bool(shown == got)
    return type(shown) is type(got)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.django_db(transaction=True)
def test_the_page_can_be_followed(live_server: Any, alice: Person) -> None:
    token = alice.token()
    known: dict[str, str] = {}
    answer: dict[str, Any] = {}
    told = 0
    for language, text in blocks(DOCS / "api.md"):
        if language == "json":
            shown = json.loads(text)
            assert like(shown, answer), f"the page shows {shown}, the answer is {answer}"
            told += 1
            continue
        for name in ("id", "execution_id"):
            if f'="<{name}>"' in text:
                variable = text.split("=", 1)[0]
                known[variable] = answer[name]
                text = text.split("\n", 1)[1]
        environment = {"PATH": os.environ["PATH"], "SOLFLOW": live_server.url, "TOKEN": token, **known}
        done = subprocess.run(["sh", "-euc", text], env=environment, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
    assert told >= 10
