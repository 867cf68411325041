"""A definition against its own workflow's limits: what could never be allowed is refused when it is saved. Pure.

The worker asks again with what the simulation says; this is the early, kind half, on what is written out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from workflows.specs.actions import CallProgramByIdl, CallProgramRaw, TransferSol, TransferToken
from workflows.specs.errors import SpecError
from workflows.specs.settings import WorkflowSettings
from workflows.specs.texts import spec_error
from workflows.specs.workflow import WorkflowSpec
from workflows.templating import is_template

_LAMPORT_LIMITS = ("max_lamports_per_tx", "max_lamports_per_day")
_TOKEN_LIMITS = ("max_tokens_per_tx", "max_tokens_per_day")


def check_limits(spec: WorkflowSpec, settings: WorkflowSettings) -> list[SpecError]:
    """Literal amounts (each, and their sum, because all actions are one transaction), recipients, programs and mints.

    Templates, "max" and amounts in whole tokens are not known yet: the worker judges them.
    """
    problems = [*_amounts(spec, settings), *_parties(spec, settings)]
    return problems or list(_sums(spec, settings))


def _amounts(spec: WorkflowSpec, settings: WorkflowSettings) -> Iterator[SpecError]:
    for index, action in enumerate(spec.actions):
        if isinstance(action, TransferSol) and isinstance(action.lamports, int):
            yield from _above_lamports(f"actions[{index}].lamports", action.lamports, settings)
        elif isinstance(action, TransferToken) and action.draws_sol:
            if isinstance(action.amount, int):
                yield from _above_lamports(f"actions[{index}].amount", action.amount, settings)
        elif isinstance(action, TransferToken):
            if not is_template(action.mint) and action.mint not in settings.max_tokens_per_tx:
                yield spec_error(f"actions[{index}].mint", "mint_not_named", action.mint)
            if isinstance(action.amount, int):
                yield from _above_tokens(f"actions[{index}].amount", action.mint, action.amount, settings)


def _sums(spec: WorkflowSpec, settings: WorkflowSettings) -> Iterator[SpecError]:
    lamports, tokens = 0, Counter[str]()
    for action in spec.actions:
        if isinstance(action, TransferSol) and isinstance(action.lamports, int):
            lamports += action.lamports
        elif isinstance(action, TransferToken) and isinstance(action.amount, int):
            if action.draws_sol:
                lamports += action.amount
            else:
                tokens[action.mint] += action.amount
    yield from _above_lamports("actions", lamports, settings)
    for mint, amount in tokens.items():
        yield from _above_tokens("actions", mint, amount, settings)


def _parties(spec: WorkflowSpec, settings: WorkflowSettings) -> Iterator[SpecError]:
    for index, action in enumerate(spec.actions):
        if isinstance(action, TransferSol | TransferToken):
            allowed = settings.allowed_recipients
            if allowed is not None and not is_template(action.to) and action.to not in allowed:
                yield spec_error(f"actions[{index}].to", "recipient_not_allowed", action.to)
        elif isinstance(action, CallProgramRaw | CallProgramByIdl):
            programs = settings.allowed_programs
            if programs is not None and action.program_id not in programs:
                yield spec_error(f"actions[{index}].program_id", "program_not_allowed", action.program_id)


def _above_lamports(path: str, lamports: int, settings: WorkflowSettings) -> Iterator[SpecError]:
    for name in _LAMPORT_LIMITS:
        limit: int | None = getattr(settings, name)
        if limit is not None and lamports > limit:
            amount = f"{lamports} lamports"
            yield spec_error(path, "above_limit", amount=amount, limit_name=name, limit=f"{limit} lamports")


def _above_tokens(path: str, mint: str, amount: int, settings: WorkflowSettings) -> Iterator[SpecError]:
    for name in _TOKEN_LIMITS:
        limit: int | None = getattr(settings, name).get(mint)
        if limit is not None and amount > limit:
            units = f"{amount} base units of {mint}"
            yield spec_error(path, "above_limit", amount=units, limit_name=name, limit=limit)
