"""What is known about whoever asks: the address, and the acting person as `request.actor`."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts import addresses, sessions
from accounts.selectors import actor_of


class RemoteAddressMiddleware:
    """Makes REMOTE_ADDR an IP address or "": it goes into the audit log and into the names of counters."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["REMOTE_ADDR"] = addresses.checked(request.META.get("REMOTE_ADDR") or "")
        return self.get_response(request)


class SessionSeenMiddleware:
    """Keeps with each session of a person when, whence and with what it was last used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Whoever has not asked for the session has nothing to do with it.
        if request.session.accessed:
            sessions.note(request)
        return response


class CurrentTeamMiddleware:
    """Sets `request.actor` (accounts.actors.Actor, or None for strangers), read from the session when first used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: actor_of(request.user, addresses.of(request)))  # type: ignore[attr-defined]
        return self.get_response(request)
