"""Wrong passwords cost time, and only whoever types them: nobody locks out anybody else.

Strangers are counted by address and name. A browser that has signed in as somebody carries a signed cookie that says
so, and is counted by itself: however many strangers guess, even from behind the same proxy, it gets in. Counted in
Redis, so that it holds across processes; while Redis is away each process counts for itself.
"""

from __future__ import annotations

import secrets
import time
from hashlib import sha256
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core import signing
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

from accounts import addresses

log = structlog.get_logger(__name__)

FREE = 5
LONGEST_S = 900
# One address that tries many names is slowed as well, much later: an office shares one.
FREE_OF_ADDRESS = 50
DEVICE_COOKIE = "solflow_device"
_DEVICE_LASTS_S = 365 * 86_400
_FORGOTTEN_S = 3600
_SALT = "accounts.sign_in_delays"
_here = LocMemCache("sign-in-delays", {"OPTIONS": {"MAX_ENTRIES": 10_000}})


class DelayingBackend(ModelBackend):
    """Names and passwords, for every door: the sign-in page and Django's admin."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The user; a refusal, without a look at the password, while the delay lasts."""
        if username is None or password is None or request is None:
            return super().authenticate(request, username, password, **kwargs)
        keys = _keys(request, username)
        # Counted before the password is looked at: of many guesses at once no more pass than of as many in a row.
        if not all(_admitted(key, free) for key, free in keys):
            raise PermissionDenied
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            _forget(keys[0][0])
        return user


def wait_s(request: HttpRequest, username: str) -> int:
    """How many seconds this browser must wait before it may try this name again."""
    return _left_s([key for key, _ in _keys(request, username)])


def remember_device(response: HttpResponse, username: str) -> None:
    """The browser has signed in as `username`: from now on strangers' guesses are not counted against it."""
    value = signing.dumps([_digest(username), secrets.token_urlsafe(12)], salt=_SALT)
    response.set_cookie(
        DEVICE_COOKIE,
        value,
        max_age=_DEVICE_LASTS_S,
        httponly=True,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )


def _keys(request: HttpRequest, username: str) -> list[tuple[str, int]]:
    """What an attempt is counted by, each with its free attempts."""
    name = _digest(username)
    device = _device_of(request, name)
    if device:
        return [(f"sign-in:device:{device}", FREE)]
    address = addresses.counted(addresses.of(request))
    return [(f"sign-in:name:{_digest(f'{address}|{name}')}", FREE), (f"sign-in:address:{address}", FREE_OF_ADDRESS)]


def _device_of(request: HttpRequest, name: str) -> str | None:
    """What this browser is called, if it has signed in under this name."""
    try:
        of_name, device = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=_DEVICE_LASTS_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(device) if of_name == name else None


def code_admitted(request: HttpRequest, user: User) -> bool:
    """Whether one more code of this user's second factor may be looked at. Whoever gets here knows the password, so all
    strangers are counted together; a browser that has signed in before is counted by itself."""
    return _admitted(_code_key(request, user), FREE)


def code_wait_s(request: HttpRequest, user: User) -> int:
    """How many seconds this browser must wait before it may try another code."""
    return _left_s([_code_key(request, user)])


def code_was_right(request: HttpRequest, user: User) -> None:
    """Forget what was counted."""
    _forget(_code_key(request, user))


def _code_key(request: HttpRequest, user: User) -> str:
    device = _device_of(request, _digest(user.get_username()))
    return f"code:device:{device}" if device else f"code:user:{user.pk}"


def _digest(text: str) -> str:
    # People type passwords into the wrong field, and a name may be of any length.
    return sha256(text.lower().encode("utf-8", "replace")).hexdigest()[:32]


def _admitted(key: str, free: int) -> bool:
    """Whether one more attempt may look at the password. Beyond the free ones the wait doubles, from 2 s on."""
    if _until(key) > time.time():
        return False
    try:
        return _admitted_by(cache, key, free)
    except RedisError as error:
        log.warning("sign_in_delays_counted_here", error=type(error).__name__)
        return _admitted_by(_here, key, free)


def _admitted_by(store: BaseCache, key: str, free: int) -> bool:
    store.add(f"{key}:count", 0, timeout=_FORGOTTEN_S)
    try:
        count = store.incr(f"{key}:count")
    except ValueError:
        # It ran out between the two calls.
        return True
    store.touch(f"{key}:count", _FORGOTTEN_S)
    if count <= free:
        return True
    delay_s = min(LONGEST_S, 2 ** min(count - free, 16))
    # Whoever sets the gate is the one attempt that this wait is paid for.
    return store.add(f"{key}:gate", time.time() + delay_s, timeout=delay_s)


def _left_s(keys: list[str]) -> int:
    return max(0, int(max(map(_until, keys)) - time.time() + 0.999))


def _until(key: str) -> float:
    return max(float(store.get(f"{key}:gate", 0.0)) for store in (cache, _here))


def _forget(key: str) -> None:
    for store in (cache, _here):
        store.delete(f"{key}:count")
        store.delete(f"{key}:gate")
