"""`/healthz`: this process is up. `/readyz`: everything that an event needs is up. `/metrics`: for Prometheus.

Probes ask by a pod's address and Prometheus by a service's name, so all three answer under any `Host`: they make no
link of it, and ALLOWED_HOSTS stays the list of names that people use.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from datetime import timedelta
from functools import cache

import structlog
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from chain.errors import ChainError
from chain.rpc.sync import RpcClient
from executions.models import Heartbeat
from solflow.metrics import exposition

log = structlog.get_logger(__name__)

TIMEOUT_S = 3.0
SEEN_WITHIN = timedelta(seconds=30)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part works, else 503; both name each part and what is wrong with it, without addresses.

    `?part=database&part=redis` asks these alone; 400 where there is no such part.
    """
    wanted = request.GET.getlist("part") or list(CHECKS)
    if unknown := sorted(set(wanted) - set(CHECKS)):
        return JsonResponse({"detail": f"part must be one of {', '.join(CHECKS)}, not {unknown[0]}"}, status=400)
    started = {part: _checkers().submit(_checked, CHECKS[part]) for part in wanted}
    parts = {part: _result(future) for part, future in started.items()}
    failing = [part for part, problem in parts.items() if problem]
    if failing:
        log.warning("not_ready", **{part: parts[part] for part in failing})
    answer = {
        "status": "unavailable" if failing else "ok",
        "failing": failing,
        "parts": {part: problem or "ok" for part, problem in parts.items()},
    }
    return JsonResponse(answer, status=503 if failing else 200)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, read from the database: true whatever number of processes there are."""
    body, content_type = exposition()
    return HttpResponse(body, content_type=content_type)


class ProbesMiddleware:
    """Answers the three before anything asks for the request's host."""

    PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in self.PATHS:
            view: Callable[[HttpRequest], HttpResponse] = resolve(request.path_info).func
            return view(request)
        return self.get_response(request)


def _checked(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, RedisError, OperationalError, OSError, ChainError) as error:
        # The class alone: messages of drivers hold addresses, and this page asks nobody who they are.
        return f"does not answer ({type(error).__name__})"
    finally:
        connection.close()


def _result(future: Future[str]) -> str:
    try:
        return future.result(TIMEOUT_S)
    except TookTooLong:
        return f"did not answer within {TIMEOUT_S:g} s"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _redis() -> str:
    with Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as redis:
        redis.ping()
    return ""


def _broker() -> str:
    with current_app.connection_for_write(connect_timeout=TIMEOUT_S) as broker:
        broker.ensure_connection(max_retries=1, timeout=TIMEOUT_S)
    return ""


def _rpc() -> str:
    _rpc_client().slot("confirmed")
    return ""


def _seen(kind: str) -> Callable[[], str]:
    def check() -> str:
        seen = Heartbeat.objects.filter(kind=kind, at__gte=timezone.now() - SEEN_WITHIN).exists()
        return "" if seen else f"no {kind} was seen in the last {SEEN_WITHIN.seconds} s"

    return check


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "redis": _redis,
    "broker": _broker,
    "rpc": _rpc,
    "worker": _seen("worker"),
    "listener": _seen("listener"),
}


@cache
def _checkers() -> ThreadPoolExecutor:
    """Side by side, so that the page takes as long as the slowest part and not as all together."""
    return ThreadPoolExecutor(max_workers=2 * len(CHECKS), thread_name_prefix="readyz")


@cache
def _rpc_client() -> RpcClient:
    return RpcClient(settings.SOLANA_RPC_URLS, timeout_s=TIMEOUT_S)
