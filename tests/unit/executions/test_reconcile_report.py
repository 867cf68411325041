"""What reconcile prints: columns under each other, what matters never left out, nothing where there is nothing."""

from __future__ import annotations

from executions.ledger import Line, Proof
from executions.memos import Memo
from executions.reconcile import Finding
from executions.reconcile_report import LINES_SHOWN, doubtful, findings, proof
from executions.tables import aligned

MEMO = Memo("0123456789abcdef", 1)


def line(slot: int, problem: str = "") -> Line:
    return Line(slot, f"sig{slot}", MEMO, 10, 10, -10, problem)


def of(*lines: Line, now: int = 0) -> Proof:
    return Proof(lines, (), 10 * len(lines), now)


def test_columns_stand_under_each_other_and_figures_end_under_each_other():
    assert list(aligned([["a", "1", "x"], ["bbb", "100", ""]], right=[1])) == ["a      1  x", "bbb  100"]


def test_no_open_attempts_is_one_line():
    assert list(findings([])) == ["Attempts that are not final: none."]


def test_an_attempt_that_moved_shows_what_it_is_now_and_one_that_did_not_says_so():
    moved = Finding("e" * 64, 1, "sig1", "sent", "landed in slot 5, finalized", "finalized, final")
    stayed = Finding("f" * 64, 2, "sig2", "sent", "not known; can land for 9 more blocks", "sent")
    printed = list(findings([moved, stayed]))
    assert printed[2].endswith("finalized, final")
    assert printed[3].endswith("unchanged")
    assert printed[-1] == "1 changed"


def test_a_signer_that_never_paid_is_said_so():
    assert list(proof("treasury", "addr", None)) == ["Signer treasury addr", "  nothing has landed yet"]


def test_a_proof_that_agrees_ends_with_that_word():
    assert list(proof("treasury", "addr", of(line(1))))[-1] == "  agrees to the lamport"


def test_a_long_history_is_shown_by_its_end_and_by_what_does_not_agree():
    lines = [line(slot, "wrong" if slot == 3 else "") for slot in range(1, LINES_SHOWN + 6)]
    printed = "\n".join(proof("treasury", "addr", of(*lines)))
    assert "5 older transactions are not shown where they agree" in printed
    assert "sig3 " in printed
    assert "sig4 " not in printed
    assert f"sig{LINES_SHOWN + 5} " in printed
    assert "DOES NOT AGREE  sig3: wrong" in printed
    assert "agrees to the lamport" not in printed


def test_everything_is_shown_when_asked_for():
    lines = [line(slot) for slot in range(1, LINES_SHOWN + 6)]
    assert "sig1 " in "\n".join(proof("treasury", "addr", of(*lines), everything=True))


def test_what_is_not_settled_yet_is_summed_apart():
    kept = Line(2, "sig2", MEMO, None, 7, -7)
    printed = "\n".join(proof("treasury", "addr", of(line(1), kept)))
    assert "2 ours: 10 lamports in the ledger, 17 on the chain" in printed
    assert "7 of these are not settled here yet" in printed


def test_executions_that_may_repeat_a_payment_are_listed_before_the_lift():
    assert list(doubtful([])) == []
    assert list(doubtful(["e1", "e2"]))[-2:] == ["  e1", "  e2"]
