"""What a channel's `config` may be, what is sealed of it and what people see of it. Pure: web, import and tests use it.

A kind is one function here (check and mask) and one module in executions.channels (send). `SERVED` lists both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.hosts import is_allowed

DISCORD_HOSTS = frozenset(
    prefix + host for host in ("discord.com", "discordapp.com") for prefix in ("", "ptb.", "canary.")
)
DISCORD_PATH = re.compile(r"/api(?:/v[0-9]{1,2})?/webhooks/(?P<id>[0-9]{1,20})/(?P<token>[A-Za-z0-9_-]{1,200})/?")
MAX_URL = 2048

# Kinds of the contract that this version cannot send to yet.
UNSERVED = ("telegram", "slack", "email", "webhook")

_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.?|[0-9a-f:.]*:[0-9a-f:.]*")
_DISCORD_QUERY = frozenset({"thread_id", "wait"})


@dataclass(frozen=True, slots=True)
class CheckedConfig:
    """`secret` goes into the sealed box, `shown` beside it. None: a masked value came back, what is sealed stays."""

    secret: dict[str, Any] | None = field(repr=False)
    shown: dict[str, Any]


def validate_config(
    kind: str, config: Any, *, allowed_hosts: Sequence[str] = (), shown: Mapping[str, Any] | None = None
) -> CheckedConfig:
    """The config of a channel of `kind`, normalised, and its mask.

    `shown` is the mask of the channel that is being changed; a value equal to it means "as it was".

    Raises:
        SpecErrors: with paths `type`, `config` and below; no text repeats a value.
    """
    check = SERVED.get(kind)
    if check is None:
        raise SpecErrors([_unserved(kind)])
    if not isinstance(config, Mapping):
        raise SpecErrors([SpecError("config", "wrong_type", "config must be an object.")])
    return check(config, allowed_hosts, shown or {})


def mask(url: str) -> str:
    """What is shown of a URL: its host and its last four characters."""
    return f"{urlsplit(url).netloc}/…{url[-4:]}"


def _discord(config: Mapping[str, Any], allowed_hosts: Sequence[str], shown: Mapping[str, Any]) -> CheckedConfig:
    unknown = [
        SpecError(f"config.{key}", "unknown_key", "is not a known key; there is webhook_url.")
        for key in config
        if key != "webhook_url"
    ]
    if unknown:
        raise SpecErrors(unknown)
    url = config.get("webhook_url")
    if url is not None and url == shown.get("webhook_url"):
        return CheckedConfig(None, dict(shown))
    try:
        checked = discord_url(url, allowed_hosts)
    except ValueError as error:
        code = "required" if url is None else "invalid_url"
        raise SpecErrors([SpecError("config.webhook_url", code, f"config.webhook_url {error}.")]) from None
    return CheckedConfig({"webhook_url": checked}, {"webhook_url": mask(checked)})


def discord_url(url: Any, allowed_hosts: Sequence[str]) -> str:
    """The URL in the one form that is stored. Raises `ValueError` that says what is wrong and repeats nothing of it."""
    if url is None:
        raise ValueError("is missing")
    scheme, host, port, path, query = _split(url)
    if is_allowed(host, port, allowed_hosts):
        return f"{scheme}://{_netloc(scheme, host, port)}{path or '/'}{'?' if query else ''}{query}"
    if host not in DISCORD_HOSTS:
        raise ValueError(
            "must be a Discord webhook: https on discord.com or discordapp.com (or their ptb. and canary. hosts);"
            " other hosts must be named in OUTBOUND_ALLOWED_HOSTS"
        )
    if scheme != "https" or port != 443:
        raise ValueError("must use https on its usual port")
    if not DISCORD_PATH.fullmatch(path):
        raise ValueError("must have the path of a Discord webhook: /api/webhooks/<id>/<token>")
    parameters = parse_qsl(query, keep_blank_values=True)
    if any(name not in _DISCORD_QUERY for name, _ in parameters):
        raise ValueError("may have no parameter but thread_id")
    thread = [(name, value) for name, value in parameters if name == "thread_id"]
    if any(not value.isdigit() for _, value in thread):
        raise ValueError("has a thread_id that is not a number")
    return f"https://{host}{path.rstrip('/')}{'?' if thread else ''}{urlencode(thread)}"


def _split(url: Any) -> tuple[str, str, int, str, str]:
    """Scheme, host, port, path and query of an http(s) URL that every parser reads in the same way."""
    if not isinstance(url, str):
        raise ValueError("must be text")
    if len(url) > MAX_URL:
        raise ValueError(f"must have at most {MAX_URL} characters")
    if not _URL_CHARACTERS.fullmatch(url):
        raise ValueError("must be a URL, without blanks, backslashes or characters outside ASCII")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise ValueError("must be a URL with a host and, at most, a numeric port") from None
    scheme = parts.scheme
    if scheme not in ("http", "https"):
        raise ValueError("must begin with https://")
    # Parsers disagree about what stands before an @, so nothing may.
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if "#" in url:
        raise ValueError("must not have a fragment (#)")
    if not _HOST.fullmatch(host) or parts.netloc.endswith(":") or port == 0:
        raise ValueError("must name a host")
    return scheme, host, port or (443 if scheme == "https" else 80), parts.path, parts.query


def _netloc(scheme: str, host: str, port: int) -> str:
    written = f"[{host}]" if ":" in host else host
    return written if port == (443 if scheme == "https" else 80) else f"{written}:{port}"


def _unserved(kind: str) -> SpecError:
    if kind in UNSERVED:
        return SpecError("type", "unserved", f'type "{kind}" cannot be sent to yet; served: {", ".join(SERVED)}.')
    return SpecError("type", "unknown_type", f"type must be one of: {', '.join(SERVED)}.")


SERVED: Mapping[str, Callable[[Mapping[str, Any], Sequence[str], Mapping[str, Any]], CheckedConfig]] = {
    "discord": _discord,
}
