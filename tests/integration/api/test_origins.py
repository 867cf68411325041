"""Who may ask from where: other origins only when named, and proxies only when trusted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import Client
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from accounts.models import AuditEntry

ORIGIN = "https://tools.example"


def preflight(origin: str, path: str = "/api/v1/workflows/") -> Any:
    asked = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "authorization"}
    return Client().options(path, HTTP_ORIGIN=origin, **asked)


def allowances(answer: Any) -> list[str]:
    return [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("origin", [ORIGIN, "null", "http://testserver.evil.example", "file://"])
def test_no_other_origin_is_let_in_unless_it_is_named(origin: str, db: None) -> None:
    assert allowances(preflight(origin)) == []
    assert allowances(Client().get("/api/v1/workflows/", HTTP_ORIGIN=origin)) == []


def test_a_named_origin_gets_the_api_without_cookies_and_nothing_else(db: None, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    answer = preflight(ORIGIN)
    assert answer["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers
    assert allowances(preflight("https://tools.example.evil")) == []
    assert allowances(preflight(ORIGIN, "/workflows/")) == []


def address_of_a_refused_sign_in(client: str, trusted: str, forwarded: bytes) -> str | None:
    """Which address the audit log names when `client` forwards a wrong password, as uvicorn serves it."""
    app = ProxyHeadersMiddleware(ASGIHandler(), trusted_hosts=trusted)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/login/",
        "raw_path": b"/login/",
        "query_string": b"",
        "root_path": "",
        "headers": [
            *[(b"host", b"localhost"), (b"content-type", b"application/x-www-form-urlencoded")],
            *[(b"cookie", b"csrftoken=" + b"a" * 32), (b"x-csrftoken", b"a" * 32), (b"x-forwarded-for", forwarded)],
        ],
        "client": (client, 1234),
        "server": ("localhost", 80),
    }
    statuses: list[int] = []
    bodies = [b"username=alice&password=wrong"]

    async def receive() -> dict[str, Any]:
        if not bodies:
            # The client stays until it is answered.
            await asyncio.Event().wait()
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert statuses == [200]
    return AuditEntry.objects.filter(action="login_failed").latest("id").address


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("10.0.0.1", b"203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", b"198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("192.0.2.7", b"203.0.113.9", "192.0.2.7"),
        ("10.0.0.1", b"<script>", None),
        ("10.0.0.1", b"203.0.113.9'; DROP TABLE", None),
    ],
)
def test_only_a_trusted_proxy_says_who_asks_and_nonsense_is_nobody(
    client: str, forwarded: bytes, address: str | None
) -> None:
    assert address_of_a_refused_sign_in(client, "10.0.0.1", forwarded) == address
