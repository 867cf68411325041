"""What every page shares: who asks, and saying on the next page what came of a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from accounts.actors import Actor
from accounts.errors import Missing, ServiceError

MAX_REASON = 500


class PageRequest(HttpRequest):
    """A request that `accounts.permissions.page` let through."""

    actor: Actor


@contextmanager
def telling(request: HttpRequest, done: str = "") -> Iterator[None]:
    """Run a change and leave a message for the page that follows: `done`, or why it was refused.

    A refusal ends the block, not the view: what comes after the block is the page to go to in both cases.
    """
    try:
        yield
    except Missing:
        raise
    except ServiceError as error:
        messages.error(request, error.detail)
    else:
        if done:
            messages.success(request, done)


def words(request: HttpRequest, *names: str) -> dict[str, str]:
    """The named parameters of a page's address as text that a database can be asked for; "" for those left out."""
    return {name: request.GET.get(name, "").replace("\x00", "").strip() for name in names}


def reason(request: HttpRequest) -> str:
    """Why somebody pauses something, as they typed it."""
    return request.POST.get("reason", "").replace("\x00", "").strip()[:MAX_REASON]
