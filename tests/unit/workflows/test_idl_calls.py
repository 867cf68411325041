"""A call by IDL against its IDL, when it is saved: everything that could never be built is said, each with its path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflows.definitions import ALICE, BOB, ID, PROGRAM, with_part
from workflows.specs.errors import SpecError
from workflows.specs.idl_calls import StoredIdl, call_problems
from workflows.specs.references import calls_by_idl
from workflows.specs.workflow import dump, parse

DOCUMENT: dict[str, Any] = {
    "address": PROGRAM,
    "metadata": {"name": "shop", "spec": "0.1.0"},
    "instructions": [
        {
            "name": "sell",
            "discriminator": [1],
            "accounts": [
                {"name": "shop"},
                {"name": "seller", "signer": True},
                {"name": "fees", "accounts": [{"name": "vault"}]},
            ],
            "args": [
                {"name": "price", "type": "u64"},
                {"name": "side", "type": {"defined": {"name": "Side"}}},
                {"name": "note", "type": {"option": "string"}},
            ],
        }
    ],
    "types": [{"name": "Side", "type": {"kind": "enum", "variants": [{"name": "Bid"}, {"name": "Ask"}]}}],
}


def sell(**parts: Any) -> dict[str, Any]:
    return {
        "type": "call_program",
        "program_id": PROGRAM,
        "idl": ID,
        "instruction": "sell",
        "accounts": {"shop": ALICE, "fees.vault": BOB},
        "args": {"price": 5, "side": "Bid", "note": None},
        **parts,
    }


def problems(call: dict[str, Any], document: Any = DOCUMENT, program_id: str = PROGRAM) -> list[SpecError]:
    spec = parse(with_part(actions=[call]))
    ((path, parsed),) = calls_by_idl(spec).items()
    return list(call_problems(parsed, StoredIdl(program_id, document), path))


def test_a_call_that_fits_has_no_problem() -> None:
    """Names in either spelling, accounts of groups with and without it, the signer filled in by itself."""
    assert problems(sell()) == []
    assert problems(sell(accounts={"Shop": ALICE, "vault": BOB}, args={"price": "5", "side": {"ask": {}}})) == []


def test_templates_are_left_to_the_worker() -> None:
    """They may become anything; what stands around them is asked now."""
    call = sell(args={"price": "{{ event.lamports }}", "side": "{{ event.side }}", "note": "{{ event.slot }} seen"})

    assert problems(call) == []
    assert [one.path for one in problems(sell(args={"price": "{{ event.slot }}", "side": "Up"}))] == [
        "actions[0].args.side"
    ]


def test_a_null_argument_survives_being_stored() -> None:
    """A definition is dumped and parsed again before it runs."""
    spec = parse(with_part(actions=[sell()]))

    assert parse(dump(spec)) == spec
    assert dump(spec)["actions"][0]["args"]["note"] is None


@pytest.mark.parametrize(
    ("call", "code", "path", "words"),
    [
        (sell(instruction="sel"), "unknown_instruction", "actions[0].instruction", "did you mean sell? Known: sell"),
        (
            sell(args={"price": 1.5, "side": "Bid"}),
            "bad_argument",
            "actions[0].args.price",
            "from 0 to 1844674407370955",
        ),
        (sell(args={"price": 1, "side": "Up"}), "bad_argument", "actions[0].args.side", "a variant of Side (Bid, Ask)"),
        (sell(args={"price": 1}), "bad_argument", "actions[0].args.side", "is missing (Side)"),
        (sell(args={"price": 1, "side": "Bid", "sde": 1}), "bad_argument", "actions[0].args.sde", "did you mean side?"),
        (sell(accounts={"shop": ALICE}), "bad_account", "actions[0].accounts.fees.vault", "is missing"),
        (
            sell(accounts={"shop": ALICE, "vault": BOB, "till": BOB}),
            "bad_account",
            "actions[0].accounts.till",
            "Its accounts: shop, seller, fees.vault",
        ),
    ],
)
def test_a_call_that_does_not_fit_is_refused_at_its_path(
    call: dict[str, Any], code: str, path: str, words: str
) -> None:
    """One problem for each thing that is wrong."""
    (problem,) = problems(call)

    assert (problem.code, problem.path) == (code, path)
    assert words in problem.detail


def test_an_idl_of_another_program_is_refused() -> None:
    """Its layout would be sent to a program that reads it otherwise."""
    (problem,) = problems(sell(), program_id=BOB)

    assert (problem.code, problem.path) == ("other_program", "actions[0].idl")


def test_a_stored_document_that_cannot_be_used_is_said_at_the_idl() -> None:
    """It may have been stored by an earlier version, which looked less closely."""
    (problem,) = problems(sell(), document={"instructions": [], "types": [{"name": "x"}]})

    assert (problem.code, problem.path) == ("not_an_idl", "actions[0].idl")
