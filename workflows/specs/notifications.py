"""Who is told, when, and in what words. Where a message goes is a channel, named by its id. Pure."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from workflows.specs.fields import ChannelId, Color, not_empty, template_text, unique
from workflows.specs.parts import Part
from workflows.specs.texts import refusal
from workflows.templating import ROOTS

Occasion = Literal["success", "failed", "filtered", "throttled"]
OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)

MAX_NOTIFICATIONS = 10
MAX_TITLE = 256  # Discord's bounds for an embed's title and description
MAX_MESSAGE = 4096
# A day: whoever is told later than that is not told, he reads a report.
LONGEST_QUIET_S = 86_400
MAX_RECOVERY_AFTER = 1000
QuietSeconds = Annotated[int, Field(ge=1, le=LONGEST_QUIET_S)]


def _message_text(text: str) -> str:
    return template_text(text, ROOTS)


def _in_order(occasions: tuple[Occasion, ...]) -> tuple[Occasion, ...]:
    return tuple(sorted(unique(not_empty(occasions)), key=OCCASIONS.index))


class Notification(Part):
    """One channel, told on each occasion in `on`. `title`, `message` and `color` replace the template's own.

    `digest_s`: what occurs in so many seconds is told in one message at their end. `cooldown_s`: the first is told at
    once, what occurs in the seconds after it in one message at their end. `recovery_after`: the first success after so
    many failures in a row is told as such, whether or not `success` is in `on`.
    """

    channel: ChannelId
    on: Annotated[
        tuple[Occasion, ...],
        Field(strict=False, max_length=len(OCCASIONS), json_schema_extra={"minItems": 1}),
        AfterValidator(_in_order),
    ]
    template: Literal["default", "success", "error", "minimal", "detailed"] = "default"
    title: Annotated[str, StringConstraints(max_length=MAX_TITLE), AfterValidator(_message_text)] | None = None
    message: Annotated[str, StringConstraints(max_length=MAX_MESSAGE), AfterValidator(_message_text)] | None = None
    color: Color | None = None
    digest_s: QuietSeconds | None = None
    cooldown_s: QuietSeconds | None = None
    recovery_after: Annotated[int, Field(ge=1, le=MAX_RECOVERY_AFTER)] | None = None

    @model_validator(mode="after")
    def _gathers_in_one_way(self) -> Self:
        if self.digest_s is not None and self.cooldown_s is not None:
            raise refusal("not_both", at="cooldown_s", other="digest_s")
        return self
