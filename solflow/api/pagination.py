"""Cursor pages: `{"next", "previous", "results"}`, by what rows are ordered by, so that a page costs the same anywhere.

DRF's own cursor compares one column and counts off those that are equal; a burst gives thousands of rows one time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as NotAValue
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    # DRF reads its settings, and so this module, while it defines APIView.
    from rest_framework.views import APIView

DEFAULT_SIZE = 50
MAX_SIZE = 200
MAX_CURSOR = 200


class KeysetPagination(BasePagination):
    """Newest first by (`created_at`, `id`), or by the view's `keyset`. `page_size` up to 200.

    A cursor names a row and a direction; it stays valid when rows come and go, that row included.
    """

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: APIView | None = None) -> list[Any]:
        self.keys: tuple[str, ...] = getattr(view, "keyset", ("created_at", "id"))
        self.url = request.build_absolute_uri()
        size = _size(request.query_params.get("page_size"))
        fields = [queryset.model._meta.get_field(key) for key in self.keys]
        forward, position = _read(request.query_params.get("cursor"), fields)
        rows = queryset.order_by(*(f"-{key}" if forward else key for key in self.keys))
        if position is not None:
            rows = rows.filter(_beyond(self.keys, position, forward))
        found = list(rows[: size + 1])
        more, page = len(found) > size, found[:size]
        if not forward:
            page.reverse()
        self._next = page[-1] if page and (more or not forward) else None
        self._previous = page[0] if page and ((forward and position is not None) or (not forward and more)) else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"next": self._link(self._next, True), "previous": self._link(self._previous, False), "results": data}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE}
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "From `next` or `previous` of another page.",
                "schema": {"type": "string"},
            },
            {"name": "page_size", "in": "query", "required": False, "schema": size},
        ]

    def _link(self, row: Any, forward: bool) -> str | None:
        if row is None:
            return None
        return str(replace_query_param(self.url, "cursor", _write(row, self.keys, forward)))


def _size(text: str | None) -> int:
    if text is None:
        return DEFAULT_SIZE
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MAX_SIZE:
        raise ValidationError({"page_size": [f"must be a number from 1 to {MAX_SIZE}"]}, code="invalid")
    return int(text)


def _beyond(keys: Sequence[str], position: Sequence[Any], forward: bool) -> Q:
    """The rows after `position`. The first condition is implied by the second, and is what an index can begin at."""
    than = "lt" if forward else "gt"
    beyond, equal = Q(), Q()
    for key, value in zip(keys, position, strict=True):
        beyond |= equal & Q(**{f"{key}__{than}": value})
        equal &= Q(**{key: value})
    return Q(**{f"{keys[0]}__{than}e": position[0]}) & beyond


def _write(row: Any, keys: Sequence[str], forward: bool) -> str:
    values = [getattr(row, key) for key in keys]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps([forward, *plain], default=str).encode()).decode().rstrip("=")


def _read(text: str | None, fields: Sequence[Any]) -> tuple[bool, list[Any] | None]:
    """Direction and position of a cursor; forward from the beginning without one."""
    if text is None:
        return True, None
    try:
        if len(text) > MAX_CURSOR:
            raise ValueError("too long")
        forward, *values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if type(forward) is not bool:
            raise ValueError("no direction")
        return forward, [_value(field, value) for field, value in zip(fields, values, strict=True)]
    except (ValueError, TypeError, RecursionError, NotAValue):
        raise ValidationError({"cursor": ["is not a cursor of this list"]}, code="invalid") from None


def _value(field: Any, text: Any) -> Any:
    value = field.to_python(text)
    if value is None:
        raise ValueError("no position")
    return value
