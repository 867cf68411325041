"""Cursor pages: `{"next", "previous", "results"}`, by what rows are ordered by, so that a page costs the same anywhere.

DRF's own cursor compares one column and counts off those that are equal; a burst gives thousands of rows one time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts import keyset

if TYPE_CHECKING:
    from django.db.models import Model

    # DRF reads its settings, and so this module, while it defines APIView.
    from rest_framework.views import APIView

DEFAULT_SIZE = 50
MAX_SIZE = 200


class KeysetPagination(BasePagination):
    """Newest first by (`created_at`, `id`), or by the view's `keyset`. Cursors: accounts.keyset."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.keys: tuple[str, ...] = getattr(view, "keyset", keyset.NEWEST_FIRST)
        self.url = request.build_absolute_uri()
        size = _size(request.query_params.get("page_size"))
        forward, position = _position(request.query_params.get("cursor"), queryset.model, self.keys)
        rows = queryset.order_by(*(f"-{key}" if forward else key for key in self.keys))
        if position is not None:
            rows = rows.filter(keyset.beyond(self.keys, position, forward))
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
        return str(replace_query_param(self.url, "cursor", keyset.write(row, self.keys, forward)))


def _size(text: str | None) -> int:
    if text is None:
        return DEFAULT_SIZE
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= MAX_SIZE:
        raise ValidationError({"page_size": [f"must be a number from 1 to {MAX_SIZE}"]}, code="invalid")
    return int(text)


def _position(text: str | None, model: type[Model], keys: tuple[str, ...]) -> tuple[bool, list[Any] | None]:
    """Direction and position; forward from the beginning without a cursor."""
    if text is None:
        return True, None
    try:
        return keyset.read(text, model, keys)
    except keyset.BadCursor:
        raise ValidationError({"cursor": ["is not a cursor of this list"]}, code="invalid") from None
