"""What all parts of a definition have in common: frozen, strict, unknown keys refused; and their unions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Discriminator, SerializerFunctionWrapHandler, model_serializer

# pydantic puts the tag of a union's member into an error's path. NUL, which no accepted document holds, marks tags, so
# that they can be told from a user's keys, whatever those are.
TAG_MARK = "\x00"


class Part(BaseModel):
    """A part of a definition. Absent optional keys are None and are not dumped."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @model_serializer(mode="wrap")
    def _leave_out_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


def by_type(kinds: Iterable[str]) -> Discriminator:
    """Chooses a union's member by its `type`, which is also its tag; errors name the types that there are."""

    def tag(value: Any) -> str | None:
        kind = type_of(value)
        return TAG_MARK + kind if kind in known else None

    known = tuple(kinds)
    return chosen_by(tag, known)


def type_of(value: Any) -> str | None:
    """The `type` of a part, parsed or not; None where there is none."""
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return kind if isinstance(kind, str) else None


def chosen_by(tag: Callable[[Any], str | None], kinds: Iterable[str] = ()) -> Discriminator:
    """Chooses a union's member by a function of the value. When that knows none, the problem's message is the kinds."""
    problem = "unknown_type" if kinds else "not_a_condition"
    # No custom_error_context: a discriminator that holds a dict cannot be hashed, and so not be used in `X | None`.
    return Discriminator(tag, custom_error_type=problem, custom_error_message=", ".join(kinds) or problem)
