"""What a payment would take. It is simulated on the chain as it is now.

Actions without templates do the same for every event, so one simulation is enough; others are simulated one by one, up
to MOST_SIMULATIONS. Beyond that, or where there is nobody to ask, they are counted as they are written out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils import timezone

from chain.errors import ChainError
from chain.events import Event
from executions.build import BASE_FEE_LAMPORTS
from executions.errors import ExecutionError, NotNow
from executions.gateway import WrongChain
from executions.limit_checks import check_amounts, check_parties
from executions.outflow import Outflow
from executions.preview import Subject
from executions.trial import simulated
from listener.backtest.results import Refusal, Spending
from listener.backtest.timeline import refusals_into
from workflows.specs.actions import CallProgramByIdl, CallProgramRaw, TransferSol, TransferToken
from workflows.templating import is_template

MOST_SIMULATIONS = 200


@dataclass(frozen=True, slots=True)
class Payment:
    """What an event's transaction would take, None where it would fail; `refusals` are those that need no look back."""

    spending: Spending | None
    refusals: tuple[Refusal, ...] = ()


@dataclass
class Payments:
    """The payments of one workflow. `notes` say what has to be known to read their figures."""

    subject: Subject
    notes: list[str] = field(default_factory=list)
    _simulations: int = 0
    _same: Payment | None = None

    def of(self, event: Event) -> Payment:
        """That of this event."""
        if self._same is not None:
            return self._same
        payment = self._judged(event)
        if self._is_fixed:
            self._same = payment
        return payment

    @cached_property
    def _is_fixed(self) -> bool:
        texts = (text for action in self.subject.spec.actions for text in _texts(action.model_dump()))
        return not any(is_template(text) or text == "max" for text in texts)

    def _judged(self, event: Event) -> Payment:
        workflow, signer = self.subject.workflow, self.subject.workflow.signer
        if signer is None:
            return self._written_out("the workflow has no signer")
        if self._simulations >= MOST_SIMULATIONS:
            return self._written_out(f"more than {MOST_SIMULATIONS} payments")
        self._simulations += 1
        try:
            prepared = simulated(workflow, signer.address, self.subject.spec, event, timezone.now())
        except (NotNow, WrongChain, ChainError) as error:
            return self._written_out(str(error))
        except ExecutionError as error:
            return Payment(None, (Refusal(error.code, error.detail, getattr(error, "limit", "")),))
        return self._within(
            Spending(prepared.outflow.lamports, prepared.outflow.tokens, "simulation"),
            prepared.recipients,
            prepared.programs,
        )

    def _written_out(self, why: str) -> Payment:
        uncounted = "" if self._is_fixed else "; those that are templates or max are not counted"
        note = f"not simulated ({why}), so amounts are counted as the definition writes them{uncounted}"
        if note not in self.notes:
            self.notes.append(note)
        actions, tokens = self.subject.spec.actions, Counter[str]()
        lamports = BASE_FEE_LAMPORTS + sum(
            one.lamports for one in actions if isinstance(one, TransferSol) and isinstance(one.lamports, int)
        )
        for one in actions:
            if isinstance(one, TransferToken) and isinstance(one.amount, int):
                if one.draws_sol:
                    lamports += one.amount
                else:
                    tokens[one.mint] += one.amount
        recipients = [one.to for one in actions if isinstance(one, TransferSol | TransferToken)]
        programs = [one.program_id for one in actions if isinstance(one, CallProgramByIdl | CallProgramRaw)]
        known = [address for address in recipients if not is_template(address)]
        return self._within(Spending(lamports, dict(tokens), "definition"), known, programs)

    def _within(self, spending: Spending, recipients: Sequence[str], programs: Sequence[str]) -> Payment:
        refusals: list[Refusal] = []
        with refusals_into(refusals):
            check_amounts(self.subject.workflow, Outflow(spending.lamports, dict(spending.tokens)))
        with refusals_into(refusals):
            check_parties(self.subject.workflow, recipients, programs)
        return Payment(spending, tuple(refusals))


def _texts(value: Any) -> Iterable[str]:
    """Every text in a definition's part, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
