"""The proof of a signer's ledger: it agrees to the lamport, or says where it does not and by how much."""

from __future__ import annotations

from dataclasses import replace

from executions.ledger import Booked, OnChain, Proof, prove
from executions.memos import Memo
from executions.outflow import Balances, Granted

SIGNER = "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin"


def payment(name: str, slot: int, before: int, after: int) -> OnChain:
    """One of ours: what the wallet lost somebody else has."""
    balances = Balances([before, 0], [after, before - after], [], [])
    return OnChain(name, slot, before, after, Memo("0123456789abcdef", 1), balances)


def booked(name: str, lamports: int | None, slot: int = 10, is_final: bool = True) -> Booked:
    return Booked(name, slot, is_final, lamports)


def proof(history: list[OnChain], entries: list[Booked], balance_now: int, kept: frozenset[str] = frozenset()) -> Proof:
    return prove(history, {entry.signature: entry for entry in entries}, kept, signer=SIGNER, balance_now=balance_now)


HISTORY = [payment("a", 10, 1000, 900), OnChain("deposit", 11, 900, 1400), payment("b", 12, 1400, 1350)]
LEDGER = [booked("a", 100), booked("b", 50)]


def test_a_ledger_that_agrees_explains_the_balance_to_the_lamport():
    found = proof(HISTORY, LEDGER, 1350)
    assert found.problems == []
    assert (found.balance_at_start, found.ours, found.deposits, found.withdrawals) == (1000, -150, 500, 0)
    assert (found.ledger_lamports, found.chain_lamports, found.unexplained) == (150, 150, 0)


def test_a_wrong_figure_is_named_with_the_difference():
    (problem,) = proof(HISTORY, [booked("a", 100), booked("b", 40)], 1350).problems
    assert problem == "b: the ledger says 40 lamports, the chain took 50: +10"


def test_a_payment_that_the_ledger_does_not_have_is_named():
    (problem,) = proof(HISTORY, [booked("a", 100)], 1350).problems
    assert problem == "b: the chain has it as solflow:0123456789abcdef:1, and the ledger does not"


def test_a_payment_whose_event_has_not_come_back_yet_is_no_disagreement():
    found = proof(HISTORY, [booked("a", 100)], 1350, frozenset({"b"}))
    assert found.problems == []
    assert found.ledger_lamports == 100


def test_a_final_payment_that_the_chain_does_not_list_is_named():
    (problem,) = proof(HISTORY, [*LEDGER, booked("c", 7, slot=13)], 1350).problems
    assert problem == "c: the ledger has it landed in slot 13, and the chain does not list it"


def test_a_payment_that_is_not_final_yet_is_not_expected_in_the_finalized_history():
    assert proof(HISTORY, [*LEDGER, booked("c", 7, slot=13, is_final=False)], 1350).problems == []


def test_a_payment_whose_figures_are_not_settled_yet_is_no_disagreement():
    assert proof(HISTORY, [booked("a", 100), booked("b", None)], 1350).problems == []


def test_a_balance_that_moved_without_a_transaction_is_unexplained():
    assert proof(HISTORY, LEDGER, 1349).problems == ["the balance is off by -1 lamports that no transaction explains"]


def test_a_jump_between_two_transactions_is_named_where_it_is():
    jumped = [HISTORY[0], replace(HISTORY[1], before=905), HISTORY[2]]
    problems = proof(jumped, LEDGER, 1350).problems
    assert problems[0] == "deposit: +5 lamports came between this and the transaction before it"
    assert problems[1] == "the balance is off by +5 lamports that no transaction explains"


def test_what_others_took_out_is_summed_apart():
    found = proof([*HISTORY, OnChain("theirs", 13, 1350, 1000)], LEDGER, 1000)
    assert (found.withdrawals, found.problems) == (-350, [])


def test_what_was_granted_and_shows_in_no_balance_is_part_of_the_charge():
    entries = [booked("a", 100), replace(booked("b", 80), granted=Granted(lamports=30))]
    assert proof(HISTORY, entries, 1350).problems == []


def test_a_transaction_that_gained_lamports_charged_nothing():
    gained = [payment("a", 10, 1000, 1200)]
    found = proof(gained, [booked("a", 0)], 1200)
    assert (found.problems, found.ours) == ([], 200)


def test_a_signer_without_history_has_the_balance_that_it_has():
    found = proof([], [], 77)
    assert (found.balance_at_start, found.balance_now, found.problems) == (77, 77, [])
