from __future__ import annotations

from typing import Any

import pytest

from workflows.specs.errors import SpecErrors
from workflows.specs.idls import MAX_BYTES, check_idl

ADDRESS = "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM"


def nested(depth: int) -> Any:
    document: Any = {}
    for _ in range(depth):
        document = {"of": document}
    return document


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (None, "document"),
        ([], "document"),
        ("{}", "document"),
        ({}, "document.instructions"),
        ({"instructions": {}}, "document.instructions"),
        ({"instructions": ["swap"]}, "document.instructions"),
        ({"instructions": [{"name": 1}]}, "document.instructions"),
        ({"instructions": [{"name": "swap", "accounts": []}]}, "document.instructions[0].args"),
        ({"instructions": [{"name": "swap", "accounts": [{}], "args": []}]}, "document.instructions[0].accounts"),
        ({"instructions": [], "events": "none"}, "document.events"),
        ({"instructions": [], "address": 7}, "document.address"),
        ({"instructions": [], "more": nested(100)}, "document"),
        ({"instructions": [], "more": "x" * MAX_BYTES}, "document"),
    ],
)
def test_what_is_no_idl_is_refused_with_its_path(document: Any, path: str) -> None:
    with pytest.raises(SpecErrors) as error:
        check_idl(document)
    assert [problem.path for problem in error.value.errors] == [path]


def test_both_formats_of_anchor_are_idls() -> None:
    instruction = {"name": "swap", "accounts": [{"name": "user"}], "args": [{"name": "amount", "type": "u64"}]}
    new = {"address": ADDRESS, "metadata": {"name": "amm", "spec": "0.1.0"}, "instructions": [instruction]}
    old = {"version": "0.1.0", "name": "amm", "instructions": [instruction], "events": [{"name": "Swapped"}]}
    assert (check_idl(new), check_idl(old)) == (ADDRESS, None)


def test_what_only_using_it_would_show_is_refused_at_the_door() -> None:
    """A type without a kind, a discriminator that is none."""
    document = {"instructions": [{"name": "go", "accounts": [], "args": [], "discriminator": ["x"]}]}
    with pytest.raises(SpecErrors) as caught:
        check_idl(document)
    assert [problem.path for problem in caught.value.errors] == ["document.instructions[0].discriminator"]
