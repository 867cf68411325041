"""API rate limits, counted in Redis so that they hold across processes. Without Redis none hold (solflow.cache)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from accounts import addresses, rates
from accounts.models import ApiToken

if TYPE_CHECKING:
    # DRF reads its settings, and so this module, while it defines APIView.
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)


class TokenThrottle(SimpleRateThrottle):
    """So many requests a second for one token, one logged-in user, or one address of strangers.

    DRF's own reads a list, adds to it and writes it back, so that of many requests at once only the last is counted.
    """

    scope = "token"
    num_requests: int
    duration: int
    _left_s = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = f"throttle:{self.scope}:{self._who(request)}"
        try:
            counted = rates.count(key, self.duration)
        except RedisError as error:
            log.warning("cache_unreachable", error=type(error).__name__)
            return True
        self._left_s = counted.left_s
        return counted.number <= self.num_requests

    def wait(self) -> float:
        return self._left_s

    def _who(self, request: Request) -> str:
        if isinstance(request.auth, ApiToken):
            return f"token-{request.auth.pk}"
        if request.user.is_authenticated:
            return f"user-{request.user.pk}"
        return f"address-{addresses.counted(self.get_ident(request))}"
