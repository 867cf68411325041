from __future__ import annotations

import pytest

from solflow.ui.events import event_words
from solflow.ui.text import initials

ACCOUNT = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            {"type": "balance_change", "account": ACCOUNT, "lamports_delta": 1_500_000_000},
            "+1.5 SOL to CebN…C9iM",
        ),
        ({"type": "balance_change", "account": ACCOUNT, "lamports_delta": -5000}, "-0.000005 SOL from CebN…C9iM"),
        ({"type": "account_change", "account": ACCOUNT, "lamports_delta": 0}, "Account changes: CebN…C9iM"),
        ({"type": "program_log", "account": ACCOUNT, "line": "INV-7 \u202epaid"}, "INV-7 paid"),
        ({"type": "manual", "account": None}, "Started by hand"),
        ({"type": "of a later version"}, "of a later version"),
    ],
)
def test_an_event_is_told_in_one_line(event: dict[str, object], words: str) -> None:
    assert event_words(event) == words


def test_a_long_log_line_is_cut() -> None:
    assert len(event_words({"type": "program_log", "line": "x" * 10_000})) == 80


@pytest.mark.parametrize(("actor", "letters"), [("user:admin", "AD"), ("system:worker", "WO"), ("stranger", "ST")])
def test_an_avatar_has_the_first_letters_of_the_name_not_of_its_kind(actor: str, letters: str) -> None:
    assert initials(actor) == letters
