"""JSON in and out: what is read must be storable, what is written may have its integers as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class StorableJSONParser(BaseParser):
    """Strict JSON: nothing infinite, no NaN, no key twice; no NUL or half surrogate pair, which PostgreSQL refuses."""

    media_type = JSONParser.media_type

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        # Reading from the request's stream passes by the bound that Django puts on `request.body`.
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge(f"the body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes")
        try:
            text = raw.decode("utf-8")
            value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
        except (ValueError, RecursionError) as error:
            # The parser's own message may quote what was sent, and that may be a secret.
            reason = error.args[0] if isinstance(error, _Unstorable) else "it cannot be parsed"
            raise ParseError(f"the body is not acceptable JSON: {reason}") from None
        if "\\u" in text and not _storable(value):
            raise ParseError("the body is not acceptable JSON: text with NUL or half a surrogate pair cannot be stored")
        return value


class IntegersAsTextRenderer(JSONRenderer):
    """JSON; with `?integers=string` every integer is a string, for clients that lose digits above 2**53."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        request = (renderer_context or {}).get("request")
        if request is not None and request.query_params.get("integers") == "string":
            data = _with_text(data)
        rendered: bytes = super().render(data, accepted_media_type, renderer_context)
        return rendered


class OneFormat(BaseContentNegotiation):
    """The first renderer, whatever `Accept` says: an answer in JSON helps more than 406."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class _Unstorable(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Unstorable("an object has the same key twice")
    return found


def _float(numeral: str) -> float:
    value = float(numeral)
    if not math.isfinite(value):
        raise _Unstorable("a number is too large")
    return value


def _constant(name: str) -> Any:
    raise _Unstorable(f"{name} is not JSON")


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(_storable(key) and _storable(inner) for key, inner in value.items())
    return not isinstance(value, list) or all(map(_storable, value))


def _with_text(data: Any) -> Any:
    if isinstance(data, bool):
        return data
    if isinstance(data, int):
        return str(data)
    if isinstance(data, Mapping):
        return {key: _with_text(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with_text(value) for value in data]
    return data
