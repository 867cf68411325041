"""What `manage.py reconcile` prints, for a person at night: aligned tables and totals. Values in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from executions.after_restore import SignerRead
from executions.ledger import Line, Proof
from executions.reconcile import Finding
from executions.tables import aligned

# A long history is shown by its end; what does not agree is always shown.
LINES_SHOWN = 20


def findings(found: Sequence[Finding]) -> Iterator[str]:
    """The attempts that were not final."""
    if not found:
        yield "Attempts that are not final: none."
        return
    yield f"Attempts that are not final: {len(found)}"
    rows = [["execution", "no.", "signature", "the ledger said", "the chain says", "now"]]
    for one in found:
        now = one.now if one.changed else "unchanged"
        rows.append([one.execution_id[:16], str(one.number), one.signature, one.known, one.found, now])
    yield from aligned(rows, right=[1])
    yield f"{sum(one.changed for one in found)} changed"


def recovered(reads: Sequence[SignerRead]) -> Iterator[str]:
    """What was found on the chain and not in this database."""
    rows = [["signer", "slot", "signature", "memo", "what was done"]]
    for one in (one for read in reads for one in read.recovered):
        failed = "" if one.landed.error is None else ", it had failed"
        done = {
            "recorded": f"its execution is recorded as done{failed}",
            "kept": f"kept: its execution will be recorded as done when its event is read back{failed}",
            "known": "known already",
        }[one.adoption]
        rows.append([one.signer.address, str(one.landed.slot), one.landed.signature, str(one.landed.memo), done])
    read = sum(read.rows for read in reads)
    yield f"Signers read: {len(reads)}, with {read} transactions that are newer than what was known"
    if len(rows) > 1:
        yield from aligned(rows, right=[1])
    yield f"{len(rows) - 1} payments were not known here"


def doubtful(execution_ids: Sequence[str]) -> Iterator[str]:
    """What a person has to look at before the pause is lifted."""
    if not execution_ids:
        return
    yield f"{len(execution_ids)} waiting executions sum up what happened to an account while nobody watched. Unless"
    yield "this copy came by `manage.py restore`, some may have been paid before: look at them before the lift."
    yield from (f"  {execution_id}" for execution_id in execution_ids)


def proof(name: str, address: str, shown: Proof | None, *, everything: bool = False) -> Iterator[str]:
    """One signer's ledger against its chain."""
    yield f"Signer {name} {address}"
    if shown is None:
        yield "  nothing has landed yet"
        return
    yield from (f"  {line}" for line in _transactions(shown, everything))
    yield from (f"  {line}" for line in _totals(shown))
    for problem in shown.problems:
        yield f"  DOES NOT AGREE  {problem}"
    if not shown.problems:
        yield "  agrees to the lamport"


def _transactions(shown: Proof, everything: bool) -> Iterator[str]:
    last = shown.lines if everything else shown.lines[-LINES_SHOWN:]
    left_out = len(shown.lines) - len(last)
    rows = [["slot", "signature", "memo", "ledger", "chain", "wallet", ""]]
    rows += [_row(line) for line in shown.lines[:left_out] if line.problem]
    rows += [_row(line) for line in last]
    if left_out:
        yield f"{left_out} older transactions are not shown where they agree; --all shows them"
    yield from aligned(rows, right=[0, 3, 4, 5])


def _row(line: Line) -> list[str]:
    memo = str(line.memo) if line.memo else "somebody else's"
    mark = "<" if line.problem else ""
    return [
        str(line.slot),
        line.signature,
        memo,
        _lamports(line.ledger_lamports),
        _lamports(line.chain_lamports),
        f"{line.change:+}",
        mark,
    ]


def _lamports(amount: int | None) -> str:
    return "-" if amount is None else str(amount)


def _totals(shown: Proof) -> Iterator[str]:
    ours = [line for line in shown.lines if line.memo]
    open_lamports = sum(line.chain_lamports or 0 for line in ours if line.ledger_lamports is None)
    yield f"{len(ours)} ours: {shown.ledger_lamports} lamports in the ledger, {shown.chain_lamports} on the chain"
    if open_lamports:
        yield f"{open_lamports} of these are not settled here yet"
    yield from aligned(
        [
            ["balance at the start", str(shown.balance_at_start), "lamports"],
            ["ours", f"{shown.ours:+}", ""],
            ["deposits", f"{shown.deposits:+}", ""],
            ["taken out by others", f"{shown.withdrawals:+}", ""],
            ["unexplained", f"{shown.unexplained:+}", ""],
            ["balance now", str(shown.balance_now), "lamports, finalized"],
        ],
        right=[1],
    )
