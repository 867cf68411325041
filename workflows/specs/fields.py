"""The kinds of values that definitions hold, beside amounts: each a type that refuses with a row of the table. Pure."""

from __future__ import annotations

import re
import uuid
import zoneinfo
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar

import base58
from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, WithJsonSchema
from solders.pubkey import Pubkey
from solders.signature import Signature as SoldersSignature

from workflows.specs.amounts import ACTION_ROOTS
from workflows.specs.patterns import MAX_PATTERN, PatternError, compile_pattern
from workflows.specs.texts import refusal
from workflows.templating import TemplateError, check, is_template

T = TypeVar("T", bound=Hashable)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_MAX_COLOR = 0xFFFFFF
_MAX_CRON = 100
_MAX_MEMCMP = 128
_MAX_GROUPS = 8


def is_address(text: str) -> bool:
    """Whether the text is base58 of 32 bytes."""
    try:
        Pubkey.from_string(text)
    except ValueError:
        return False
    return True


def template_text(text: str, roots: Iterable[str]) -> str:
    """The text unchanged; refuses one whose `{{ … }}` are malformed or read a root that is not there."""
    if is_template(text):
        try:
            check(text, roots)
        except TemplateError as error:
            raise refusal("bad_template", why=str(error)) from None
    return text


def action_text(text: str) -> str:
    """As `template_text`, for what is rendered before there is a transaction."""
    return template_text(text, ACTION_ROOTS)


def unique(items: tuple[T, ...]) -> tuple[T, ...]:
    """The items unchanged; refuses repetition."""
    if len(set(items)) < len(items):
        raise refusal("repeated")
    return items


def not_empty(items: tuple[T, ...]) -> tuple[T, ...]:
    """The items unchanged; refuses none at all. pydantic's min_length would count the valid ones only."""
    if not items:
        raise refusal("too_short", min_length=1)
    return items


def _address(text: str) -> str:
    if is_template(text):
        raise refusal("template_not_here")
    if not is_address(text):
        raise refusal("not_an_address")
    return text


def _open_address(text: str) -> str:
    return action_text(text) if is_template(text) else _address(text)


def is_signature(text: str) -> bool:
    """Whether the text is base58 of 64 bytes."""
    try:
        SoldersSignature.from_string(text)
    except ValueError:
        return False
    return True


def _signature(text: str) -> str:
    if not is_signature(text):
        raise refusal("not_a_signature")
    return text


def canonical_id(text: str) -> str | None:
    """The UUID in its one spelling, or None. UUID() alone would also read braces, urn: and hyphens anywhere."""
    try:
        canonical = str(uuid.UUID(text))
    except ValueError:
        return None
    return canonical if canonical == text.lower() else None


def _id_of(what: str) -> Callable[[str], str]:
    def check_id(text: str) -> str:
        canonical = canonical_id(text)
        if canonical is None:
            raise refusal("not_an_id", what=what)
        return canonical

    return check_id


def _pattern(text: str) -> str:
    try:
        compile_pattern(text)
    except PatternError as error:
        raise refusal("bad_pattern", why=str(error)) from None
    return text


def _cron(text: str) -> str:
    fields = text.split()
    if len(fields) != 5:
        raise refusal("bad_cron", why="")
    try:
        next(CronSim(" ".join(fields), datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise refusal("bad_cron", why=f": {error}") from None
    except StopIteration:
        raise refusal("bad_cron", why=": it never comes due") from None
    return " ".join(fields)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _timezone(name: str) -> str:
    # Asked by name and not by ZoneInfo(name): that opens files, and "America" is a directory.
    if name not in _timezones():
        raise refusal("unknown_timezone")
    return name


def _memcmp_bytes(text: str) -> str:
    try:
        raw = base58.b58decode(text)
    except ValueError:
        raise refusal("bad_encoding", encoding="base58") from None
    if not 1 <= len(raw) <= _MAX_MEMCMP:
        raise refusal("bytes_out_of_range", low=1, high=_MAX_MEMCMP)
    return text


def _color(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_COLOR:
        return f"#{value:06x}"
    if isinstance(value, str) and _COLOR.fullmatch(value):
        return value.lower()
    raise refusal("bad_color")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise refusal("bad_name")
    return text


def _dotted_name(text: str) -> str:
    parts = text.split(".")
    if len(parts) > _MAX_GROUPS + 1:
        raise refusal("bad_name")
    for part in parts:
        _name(part)
    return text


def _address_schema(*more: dict[str, Any]) -> WithJsonSchema:
    address = {"type": "string", "pattern": "^[1-9A-HJ-NP-Za-km-z]{32,44}$", "description": "A Solana address"}
    return WithJsonSchema({"anyOf": [address, *more]} if more else address)


def _id_schema(what: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "uuid", "description": f"The id of {what}"})


Address = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_address), _address_schema()]
# An address of an action may come from the event.
OpenAddress = Annotated[
    str,
    StringConstraints(max_length=4096),
    AfterValidator(_open_address),
    _address_schema({"type": "string", "pattern": r"\{\{", "description": "A template"}),
]
Signature = Annotated[
    str,
    StringConstraints(max_length=100),
    AfterValidator(_signature),
    WithJsonSchema({"type": "string", "pattern": "^[1-9A-HJ-NP-Za-km-z]{64,88}$"}),
]
ChannelId = Annotated[str, AfterValidator(_id_of("a channel")), _id_schema("a channel")]
AddressListId = Annotated[str, AfterValidator(_id_of("an address list")), _id_schema("an address list")]
IdlId = Annotated[str, AfterValidator(_id_of("an IDL")), _id_schema("an IDL")]
RegularExpression = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_PATTERN),
    AfterValidator(_pattern),
    Field(description="RE2 syntax"),
]
Cron = Annotated[str, StringConstraints(max_length=_MAX_CRON), AfterValidator(_cron)]
Timezone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_timezone)]
MemcmpBytes = Annotated[str, StringConstraints(max_length=200), AfterValidator(_memcmp_bytes)]
Name = Annotated[str, AfterValidator(_name)]
# Accounts of an instruction may stand in groups: `group.account`.
AccountName = Annotated[str, AfterValidator(_dotted_name)]
Color = Annotated[
    str,
    PlainValidator(_color),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
                {"type": "integer", "minimum": 0, "maximum": _MAX_COLOR},
            ]
        }
    ),
]
