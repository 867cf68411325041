"""Headers that keep a browser from doing what our pages never ask for."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import MiddlewareNotUsed
from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from executions import history
from solflow.live.hub import hub

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")

# Everything is a file of ours; `data:` are the chevrons of selects and the icons of Swagger UI.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class OwnWritesMiddleware:
    """Notes who has changed something: to him nothing older is shown for a while (executions.history)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if history.REPLICA not in connections:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Whoever came with a token is known only now.
        if request.method not in SAFE and request.user.pk is not None:
            history.note_write(request.user.pk)
        return response


class LivePositionMiddleware:
    """Sets `request.live_position`, from which a page's stream of changes goes on. It is taken before the view reads
    anything, so that no change falls between what the page shows and what it is told."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.live_position = hub.position  # type: ignore[attr-defined]
        return self.get_response(request)


class SecurityHeadersMiddleware(MiddlewareMixin):
    """Sets what a view has not set itself. Errors carry them as well; static files do not pass here."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
