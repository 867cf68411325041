"""API rate limits, counted in Redis so that they hold across processes. Without Redis none hold (solflow.cache)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from rest_framework.authentication import get_authorization_header
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts import addresses, rates
from accounts.models import ApiToken

if TYPE_CHECKING:
    # DRF reads its settings, and so this module, while it defines APIView.
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)


class TokenThrottle(SimpleRateThrottle):
    """So many requests for one token or one logged-in user; for one address, so many without a token and so many with
    one that is refused. Those of strangers take nothing from whoever is known.

    DRF's own reads a list, adds to it and writes it back, so that of many requests at once only the last is counted.
    """

    _left_s = 0.0

    def __init__(self) -> None:
        """Which rate holds is known when it is known who asks."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope, who = self._who(request)
        most, duration_s = self.parse_rate(self.THROTTLE_RATES[scope])
        assert most is not None and duration_s is not None
        try:
            counted = rates.count(f"throttle:{scope}:{who}", duration_s)
        except RedisError as error:
            log.warning("cache_unreachable", error=type(error).__name__)
            return True
        self._left_s = counted.left_s
        return counted.number <= most

    def wait(self) -> float:
        return self._left_s

    def _who(self, request: Request) -> tuple[str, str]:
        if isinstance(request.auth, ApiToken):
            return "token", f"token-{request.auth.pk}"
        if request.user.is_authenticated:
            return "token", f"user-{request.user.pk}"
        scope = "refused" if get_authorization_header(request) else "stranger"
        return scope, addresses.counted(self.get_ident(request))
