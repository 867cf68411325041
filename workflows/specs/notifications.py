"""Who is told, when, and in what words. Where a message goes is a channel, named by its id. Pure."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, StringConstraints

from workflows.specs.fields import ChannelId, Color, not_empty, template_text, unique
from workflows.specs.parts import Part
from workflows.templating import ROOTS

Occasion = Literal["success", "failed", "filtered", "throttled"]
OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)

MAX_NOTIFICATIONS = 10
MAX_TITLE = 256  # Discord's bounds for an embed's title and description
MAX_MESSAGE = 4096


def _message_text(text: str) -> str:
    return template_text(text, ROOTS)


def _in_order(occasions: tuple[Occasion, ...]) -> tuple[Occasion, ...]:
    return tuple(sorted(unique(not_empty(occasions)), key=OCCASIONS.index))


class Notification(Part):
    """One channel, told on each occasion in `on`. `title`, `message` and `color` replace the template's own."""

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
