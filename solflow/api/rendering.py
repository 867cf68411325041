"""JSON in and out: what is read must be storable, what is written may have its integers as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from workflows.specs import storable_json


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
            return storable_json.loads(raw)
        except storable_json.NotStorable as error:
            raise ParseError(f"the body is not acceptable JSON: {error}") from None


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
