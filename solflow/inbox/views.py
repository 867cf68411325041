"""The inbox's two doors: the one that takes messages and the page that shows them."""

from __future__ import annotations

import json
import math
import time
from functools import cache

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import page
from solflow.inbox.limits import refusal
from solflow.inbox.store import ALLOWED_PER_WINDOW, Allowance, InboxStore


@cache
def store() -> InboxStore:
    """One connection pool for the process."""
    return InboxStore(redis.Redis.from_url(settings.REDIS_URL))


@csrf_exempt  # webhooks carry no cookie; the URL's token is all there is, as with Discord
@require_POST
def webhook(request: HttpRequest, webhook_id: str, token: str) -> HttpResponse:
    """Discord's "execute webhook": 204, or 200 with the message for `?wait=true`; 400 and 429 as Discord words them."""
    allowance = store().count_request(webhook_id)
    if allowance.remaining < 0:
        body = {"message": "You are being rate limited.", "retry_after": allowance.reset_after_s, "global": False}
        response: HttpResponse = JsonResponse(body, status=429)
        response["Retry-After"] = str(math.ceil(allowance.reset_after_s))
        response["X-RateLimit-Scope"] = "user"
    else:
        response = _take(request, webhook_id)
    for name, value in _rate_limit_headers(webhook_id, allowance).items():
        response[name] = value
    return response


def _take(request: HttpRequest, webhook_id: str) -> HttpResponse:
    try:
        payload = json.loads(request.body)
    except ValueError:
        payload = None
    refused = refusal(payload)
    if refused:
        return JsonResponse(refused, status=400)
    message = store().add(webhook_id, payload)
    if request.GET.get("wait") != "true":
        return HttpResponse(status=204)
    shown = {key: payload.get(key) for key in ("content", "embeds", "username")}
    return JsonResponse(
        {**shown, "id": message.id, "type": 0, "webhook_id": webhook_id, "timestamp": message.received_at.isoformat()}
    )


def _rate_limit_headers(webhook_id: str, allowance: Allowance) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(ALLOWED_PER_WINDOW),
        "X-RateLimit-Remaining": str(max(allowance.remaining, 0)),
        "X-RateLimit-Reset": f"{time.time() + allowance.reset_after_s:.3f}",
        "X-RateLimit-Reset-After": f"{allowance.reset_after_s:.3f}",
        "X-RateLimit-Bucket": f"inbox-{webhook_id}",
    }


@require_safe
@page()
def messages(request: HttpRequest) -> HttpResponse:
    """The newest messages as Discord would show them."""
    return render(request, "inbox.html", {"received": store().newest_first()})
