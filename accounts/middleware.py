"""Puts the acting person on the request, so that every view has one `request.actor` and asks nothing twice."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.selectors import actor_of


class CurrentTeamMiddleware:
    """Sets `request.actor` (accounts.actors.Actor, or None for strangers), read from the session when first used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: actor_of(request.user, request.META.get("REMOTE_ADDR")))  # type: ignore[attr-defined]
        return self.get_response(request)
