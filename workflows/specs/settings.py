"""What a workflow has beside its definition: its name, how carefully it looks, and how much it may do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from chain.types import Commitment
from workflows.specs.amounts import U64_MAX, LimitLamports
from workflows.specs.documents import load
from workflows.specs.errors import SpecErrors
from workflows.specs.fields import Address, unique
from workflows.specs.parts import Part
from workflows.specs.texts import refusal
from workflows.specs.validation import keys_of, validate

MAX_NAME = 200
MAX_DESCRIPTION = 2000
MAX_LISTED = 1000
MAX_MINTS = 100
I32_MAX = 2**31 - 1

DEFAULT_MAX_LAMPORTS_PER_TX = 1_000_000
DEFAULT_MAX_EXECUTIONS_PER_HOUR = 10
MOST_APPROVERS = 5
DEFAULT_APPROVAL_EXPIRES_S = 3600
DEFAULT_PAUSE_AFTER_FAILURES = 5


def _not_blank(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise refusal("not_blank")
    return stripped


_Seconds = Annotated[int, Field(ge=1, le=I32_MAX)]
_Listed = Annotated[tuple[Address, ...], Field(strict=False, max_length=MAX_LISTED), AfterValidator(unique)]
_TokenLimits = Annotated[dict[Address, Annotated[int, Field(ge=0, le=U64_MAX)]], Field(max_length=MAX_MINTS)]


class WorkflowSettings(Part):
    """Limits are in lamports and base units. None means no limit, but for the two token maps.
    `pause_after_failures` is how many executions in a row may fail before the workflow is paused; None: never.

    `max_tokens_per_tx` names every mint of which tokens may leave; `max_tokens_per_day` may narrow some of them.
    """

    name: Annotated[str, StringConstraints(max_length=MAX_NAME), AfterValidator(_not_blank)]
    description: Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION)] = ""
    commitment: Commitment = "confirmed"
    dry_run: bool = False
    ordered: bool = False
    max_event_age_s: _Seconds | None = None
    max_lamports_per_tx: LimitLamports = DEFAULT_MAX_LAMPORTS_PER_TX
    max_lamports_per_day: LimitLamports | None = None
    max_tokens_per_tx: _TokenLimits = {}
    max_tokens_per_day: _TokenLimits = {}
    max_executions_per_hour: Annotated[int, Field(ge=1, le=1_000_000)] = DEFAULT_MAX_EXECUTIONS_PER_HOUR
    allowed_recipients: _Listed | None = None
    allowed_programs: _Listed | None = None
    approval_above_lamports: LimitLamports | None = None
    approval_expires_s: _Seconds = DEFAULT_APPROVAL_EXPIRES_S
    approvers: Annotated[int, Field(ge=1, le=MOST_APPROVERS)] = 1
    pause_after_failures: Annotated[int, Field(ge=1, le=1000)] | None = DEFAULT_PAUSE_AFTER_FAILURES


# What stands beside them in a request, for the hint at a key that is neither.
BESIDE = ("definition", "signer", "draft")
_KEYS = {"": keys_of(WorkflowSettings)}
_EMPTY_MAPS = ("max_tokens_per_tx", "max_tokens_per_day")


def parse_settings(document: Mapping[str, Any] | str | bytes, base: WorkflowSettings | None = None) -> WorkflowSettings:
    """The settings that a document gives, over `base` where it gives none (a PATCH), else over the defaults.

    A key that is given replaces the whole value, lists and maps too; null empties it. Raises `SpecErrors`.
    """
    given, problems = load(document)
    for key in _EMPTY_MAPS:
        if key in given and given[key] is None:
            given[key] = {}
    whole = {**dump_settings(base), **given} if base is not None else given
    settings, problems = validate(WorkflowSettings, whole, problems, {"": [*_KEYS[""], *BESIDE]})
    if settings is None:
        raise SpecErrors(problems)
    return settings


def dump_settings(settings: WorkflowSettings) -> dict[str, Any]:
    """All settings as plain JSON values; absent limits are null."""
    return dict.fromkeys(_KEYS[""]) | settings.model_dump(mode="json")
