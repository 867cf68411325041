"""Typed readers of the environment. A bad value stops the process with one line that names the variable.

Every reader also looks at `<NAME>_FILE`, the path of a file that holds the value, as Docker and Kubernetes mount
secrets. Values are never repeated in an error: a mistyped URL may hold a password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit


def refuse(name: str, should: str) -> NoReturn:
    """End the process: `name` is wrong and `should` says what it has to be."""
    raise SystemExit(f"solflow: {name} {should}")


def text(name: str, default: str | None = None) -> str:
    """The value of `name`; without one `default`; without that the process ends."""
    value = os.environ.get(name)
    path = os.environ.get(f"{name}_FILE")
    if not value and path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            refuse(f"{name}_FILE", f"must name a readable file ({error.strerror})")
    if value:
        return value
    if default is None:
        refuse(name, "is not set; `python manage.py up` generates it, every other way to run SolFlow needs it")
    return default


def choice(name: str, default: str, allowed: Sequence[str]) -> str:
    value = text(name, default)
    if value not in allowed:
        refuse(name, f"must be one of {', '.join(allowed)}")
    return value


def integer(name: str, default: int, lowest: int, highest: int) -> int:
    value = text(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,18}", value) or not lowest <= int(value) <= highest:
        refuse(name, f"must be a whole number from {lowest} to {highest}")
    return int(value)


def number(name: str, default: float, lowest: float, highest: float) -> float:
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value) or not lowest <= float(value) <= highest:
        refuse(name, f"must be a number from {lowest} to {highest}")
    return float(value)


def words(name: str, default: str = "") -> list[str]:
    """A comma list; blanks around the parts are dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def urls(name: str, default: str, schemes: Sequence[str], *, distinct: bool = False) -> list[str]:
    """A comma list of one or more absolute URLs; `distinct` where each has to be another witness."""
    found = words(name, default)
    for position, value in enumerate(found, 1):
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or not _has_usable_port(parts):
            refuse(name, f"must be a comma list of {' or '.join(schemes)} URLs; number {position} is not")
    if not found:
        refuse(name, f"must be a comma list of {' or '.join(schemes)} URLs")
    if distinct and len(set(found)) < len(found):
        refuse(name, "must not name a URL twice: two endpoints are asked because they are independent")
    return found


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port is None or 0 < parts.port < 65535
    except ValueError:
        return False


def collector(name: str) -> str:
    """The address that something is reported to, one URL; nothing without a value."""
    value = text(name, "")
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or not _has_usable_port(parts)):
        refuse(name, "must be one http or https URL, such as https://collector.example:4318")
    return value.rstrip("/")


def sentry_dsn(name: str) -> str:
    """A Sentry project's DSN; nothing without a value."""
    value = text(name, "")
    parts = urlsplit(value)
    is_whole = parts.scheme in ("http", "https") and parts.username and parts.hostname and _has_usable_port(parts)
    if value and not (is_whole and re.fullmatch(r"(/[^/]+)*/[0-9]{1,18}", parts.path)):
        refuse(name, "must be https://key@host/project, with the project's number, as Sentry shows it")
    return value


def websocket_url(rpc_url: str) -> str:
    """Where an RPC endpoint serves PubSub unless told otherwise: the same host, the next port where one is named."""
    parts = urlsplit(rpc_url)
    place = parts.netloc if parts.port is None else parts.netloc.removesuffix(str(parts.port)) + str(parts.port + 1)
    return parts._replace(scheme="wss" if parts.scheme == "https" else "ws", netloc=place).geturl()


def database(name: str, default: str | None = None) -> dict[str, Any]:
    """Django's settings for the PostgreSQL that `name` points at (`postgresql://user:password@host:port/name`).

    Query parameters are passed to libpq; `?host=/path` names the folder of a Unix socket.
    """
    parts = urlsplit(text(name, default))
    try:
        port = parts.port
    except ValueError:
        refuse(name, "must have a number as its port")
    if parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2:
        refuse(name, "must be postgresql://user:password@host:port/database")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "") or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def email(name: str) -> dict[str, Any]:
    """Django's settings for the mail server that `name` points at; none without a value.

    `smtp://user:password@host:port?from=address`: STARTTLS where the server offers it, and no password without it;
    `smtp+tls://` insists on it, `smtps://` is TLS from the first byte. Beside Django's own, EMAIL_TLS_REQUIRED.
    """
    value = text(name, "")
    if not value:
        return {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend", "EMAIL_HOST": ""}
    form = "smtp://, smtp+tls:// or smtps://user:password@host:port?from=address"
    try:
        parts = urlsplit(value)
        ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
        port = parts.port or ports[parts.scheme]
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query), keep_blank_values=True))
    except (ValueError, KeyError):
        refuse(name, f"must be {form}")
    host, user = parts.hostname or "", unquote(parts.username or "")
    if not host or parts.path not in ("", "/") or parts.fragment or set(query) - {"from"}:
        refuse(name, f"must be {form}")
    sender = query.get("from") or (user if "@" in user else f"solflow@{_sending_host(host)}")
    if not re.fullmatch(r"[^@\s<>,\"]+@[A-Za-z0-9.-]+", sender):
        refuse(name, "must name the sender as ?from=address, such as ?from=solflow@example.com")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls" or (parts.scheme == "smtp" and port == 587),
        "EMAIL_TLS_REQUIRED": parts.scheme == "smtp+tls",
        "EMAIL_TIMEOUT": 10,
        "DEFAULT_FROM_EMAIL": sender,
        "SERVER_EMAIL": sender,
    }


def _sending_host(host: str) -> str:
    """The domain of a sender that nobody named."""
    return host if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]+", host) else "localhost"
